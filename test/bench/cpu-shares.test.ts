import { describe, expect, it } from 'vitest';
import { sharesOf } from '../../bench/cpu-shares.ts';
import { OpenFilesError, requireOpenFiles } from '../../bench/open-files.ts';

/** A chain of calls, outermost first, as a profile has it; each sample is of its innermost call. */
function profile(stacks: readonly (readonly (readonly [string, string])[])[]) {
  let id = 0;
  const nodes: Parameters<typeof sharesOf>[0]['nodes'] = [];
  const samples = stacks.map((stack) => {
    for (const [index, [functionName, url]] of stack.entries()) {
      id += 1;
      const callFrame = { functionName, url, scriptId: '0', lineNumber: 0, columnNumber: 0 };
      nodes.push({ id, callFrame, ...(index < stack.length - 1 ? { children: [id + 1] } : {}) });
    }
    return id;
  });
  return { nodes, samples, timeDeltas: samples.map(() => 200), startTime: 0, endTime: 0 };
}

describe('the shares of a profile', () => {
  it('are of the busy time, each sample told by the innermost of our parts', () => {
    const answer = ['answer', 'file:///local/gateway/management-api.ts'] as const;
    const authenticate = ['authenticate', 'file:///local/permissions/signature.ts'] as const;
    const shares = sharesOf(
      profile([
        [answer, authenticate, ['Hmac', 'node:internal/crypto/hash']],
        [answer, ['send', 'file:///node_modules/ws/lib/sender.js'], ['writev', '']],
        [answer, ['end', 'node:_http_outgoing'], ['writev', '']],
        [answer],
        [['(idle)', '']],
        [['(garbage collector)', '']],
      ]),
    );
    expect(shares).toEqual({
      'signature and permission': 0.2,
      'WebSocket send': 0.2,
      'HTTP and sockets': 0.2,
      gateway: 0.2,
      'garbage collection': 0.2,
      'native code': 0,
    });
  });
});

describe('many sockets', () => {
  it.runIf(process.platform === 'linux')(
    'are refused where the shell does not allow so many files, with what to do',
    () => {
      expect(() => requireOpenFiles(10)).not.toThrow();
      expect(() => requireOpenFiles(1e12)).toThrow(OpenFilesError);
      expect(() => requireOpenFiles(1e12)).toThrow(/ulimit -n 1000000000200/);
    },
  );
});
