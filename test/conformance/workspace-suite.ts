import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileNotFoundError } from '../../handlers/errors.ts';
import type { Workspace } from '../../handlers/workspace.ts';

const CONTENT = 'a plan, or what a range came to: é';

let executions = 0;

/** An execution that no other test has. */
export function newExecution(): string {
  executions += 1;
  return `job_01JCXW3V6Q8Y2T5R9K4M7N0PZA-${executions}`;
}

/** What every adapter of `Workspace` must do. */
export function describeWorkspace(name: string, start: () => Promise<Workspace>): void {
  describe(`Workspace: ${name}`, () => {
    let workspace: Workspace;
    beforeAll(async () => {
      workspace = await start();
    });
    const { signal } = new AbortController();
    const content = Buffer.from(CONTENT);

    it('keeps files for each execution by itself, the newest content of each', async () => {
      const [one, other] = [newExecution(), newExecution()];
      await workspace.write(one, 'plan', Buffer.from('older and longer than the other'));
      await workspace.write(one, 'plan', content);
      await workspace.write(other, 'plan', Buffer.from('other'));
      await workspace.write(one, 'range-1', new Uint8Array());
      expect(Buffer.from(await workspace.read(one, 'plan')).toString()).toBe(CONTENT);
      expect(Buffer.from(await workspace.read(other, 'plan')).toString()).toBe('other');
      expect((await workspace.read(one, 'range-1')).byteLength).toBe(0);
    });

    it('opens a file, and ranges of it', async () => {
      const execution = newExecution();
      await workspace.write(execution, 'payload', content);
      expect(await text(await workspace.open(execution, 'payload', signal))).toBe(CONTENT);
      const last = content.byteLength;
      for (const [from, to] of [
        [0, 1],
        [2, 6],
        [last - 2, last],
        [last, last],
        [0, last],
      ] as const) {
        const stream = await workspace.open(execution, 'payload', signal, { from, to });
        expect((await buffer(stream)).equals(content.subarray(from, to))).toBe(true);
      }
    });

    it('says that a file is not there', async () => {
      const execution = newExecution();
      await expect(workspace.read(execution, 'plan')).rejects.toBeInstanceOf(FileNotFoundError);
      await workspace.write(execution, 'plan', content);
      await expect(workspace.read(execution, 'range-0')).rejects.toBeInstanceOf(FileNotFoundError);
      await expect(workspace.open(execution, 'range-0', signal)).rejects.toBeInstanceOf(FileNotFoundError);
    });

    it('removes all files of one execution, again and where there are none', async () => {
      const [one, other] = [newExecution(), `${newExecution()}0`];
      for (const name of ['plan', 'range-0', 'range-1']) await workspace.write(one, name, content);
      await workspace.write(other, 'plan', content);
      await workspace.write(`${one}0`, 'plan', content); // its name begins with the other's
      await workspace.remove(one);
      await workspace.remove(one);
      await workspace.remove(newExecution());
      await expect(workspace.read(one, 'plan')).rejects.toBeInstanceOf(FileNotFoundError);
      await expect(workspace.read(one, 'range-1')).rejects.toBeInstanceOf(FileNotFoundError);
      expect((await workspace.read(other, 'plan')).byteLength).toBe(content.byteLength);
      expect((await workspace.read(`${one}0`, 'plan')).byteLength).toBe(content.byteLength);
      await workspace.write(one, 'plan', content); // by a step that did not know
      expect((await workspace.read(one, 'plan')).byteLength).toBe(content.byteLength);
    });

    it('stops reading when told to, and can be dropped unread', async () => {
      const execution = newExecution();
      await workspace.write(execution, 'payload', Buffer.alloc(3_000_000, 'x'));
      const reason = new Error('the job was cancelled');
      await expect(workspace.open(execution, 'payload', AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const stream = await workspace.open(execution, 'payload', controller.signal);
      const read = async () => {
        for await (const chunk of stream) {
          expect(chunk.length).toBeGreaterThan(0);
          controller.abort(reason);
        }
      };
      await expect(read()).rejects.toBe(reason);
      const dropped = await workspace.open(execution, 'payload', signal);
      dropped.destroy();
      await once(dropped, 'close');
      await workspace.remove(execution);
    });
  });
}
