import { beforeAll, describe, expect, it } from 'vitest';
import type { Queue } from '../../handlers/ports.ts';

/** The messages of this suite; `text` makes one as large as a test needs. */
export interface SampleMessage {
  readonly index: number;
  readonly text?: string;
}

/** A queue, and everything that can be received from it now. */
export interface QueueUnderTest {
  readonly queue: Queue<SampleMessage>;
  /** Receives and deletes what is visible. */
  receiveAll(): Promise<readonly SampleMessage[]>;
}

/** What every adapter of `Queue` must do. */
export function describeQueue(name: string, start: () => Promise<QueueUnderTest>): void {
  describe(`Queue: ${name}`, () => {
    let tested: QueueUnderTest;
    beforeAll(async () => {
      tested = await start();
    });
    const byIndex = (one: SampleMessage, other: SampleMessage) => one.index - other.index;

    it('carries every one of more messages than a batch holds', async () => {
      const messages = Array.from({ length: 37 }, (_, index) => ({ index, text: `“${index}” 🚀` }));
      await tested.queue.send(messages);
      expect((await tested.receiveAll()).toSorted(byIndex)).toEqual(messages);
    });

    it('carries messages that are together too large for one batch', async () => {
      const messages = Array.from({ length: 9 }, (_, index) => ({ index, text: '€'.repeat(30_000) }));
      await tested.queue.send(messages);
      expect((await tested.receiveAll()).toSorted(byIndex)).toEqual(messages);
    });

    it('does nothing for no messages', async () => {
      await tested.queue.send([]);
      expect(await tested.receiveAll()).toEqual([]);
    });

    it('drops what JSON does not carry', async () => {
      const message: SampleMessage = Object.assign({ index: 1 }, { note: undefined });
      await tested.queue.send([message], { delaySeconds: 0 });
      expect(await tested.receiveAll()).toStrictEqual([{ index: 1 }]);
    });
  });
}
