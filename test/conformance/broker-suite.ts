import { ulid } from 'ulid';
import { beforeAll, describe, expect, it } from 'vitest';
import { RefusedError } from '../../handlers/errors.ts';
import type { Broker } from '../../handlers/ports.ts';

/** A broker, and how somebody subscribes to a job. */
export interface BrokerUnderTest {
  readonly broker: Broker;
  /** Resolves once it is subscribed; `receive` is called with every message, the retained one first. */
  subscribe(job: string, receive: (frame: string) => void): Promise<void>;
}

/** What every adapter of `Broker` must do. */
export function describeBroker(name: string, start: () => Promise<BrokerUnderTest>): void {
  describe(`Broker: ${name}`, () => {
    let tested: BrokerUnderTest;
    beforeAll(async () => {
      tested = await start();
    });

    const subscribed = async (job: string): Promise<string[]> => {
      const frames: string[] = [];
      await tested.subscribe(job, (frame) => void frames.push(frame));
      return frames;
    };
    const newJob = (): string => `job_${ulid()}`;

    it('tells whoever has subscribed, and nobody else', async () => {
      const [job, other] = [newJob(), newJob()];
      const [one, two, three] = [await subscribed(job), await subscribed(job), await subscribed(other)];
      await tested.broker.publish(job, '{"text":"naïve 🚀"}', { retain: false });
      await expect.poll(() => [one, two]).toEqual([['{"text":"naïve 🚀"}'], ['{"text":"naïve 🚀"}']]);
      expect(three).toEqual([]);
    });

    it('tells later subscribers what was retained, and not what was not', async () => {
      const job = newJob();
      await tested.broker.publish(job, 'retained', { retain: true });
      await tested.broker.publish(job, 'not', { retain: false });
      const frames = await subscribed(job);
      await expect.poll(() => frames).toEqual(['retained']);
    });

    it('tells an empty message when what was retained is cleared', async () => {
      const [cleared, never] = [newJob(), newJob()];
      const early = await subscribed(cleared);
      await tested.broker.clear(cleared);
      await tested.broker.clear(never);
      await expect.poll(() => early).toEqual(['']);
      const late = await subscribed(cleared);
      await tested.broker.publish(cleared, 'live', { retain: false });
      await expect.poll(() => late).toEqual(['live']);
    });

    it('refuses a message above 128 KB', async () => {
      const job = newJob();
      await tested.broker.publish(job, 'x'.repeat(131_072), { retain: false });
      const large = tested.broker.publish(job, 'x'.repeat(131_073), { retain: false });
      await expect(large).rejects.toBeInstanceOf(RefusedError);
    });
  });
}
