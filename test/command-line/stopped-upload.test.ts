import { expect, it } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import { cancelStopped } from '../../command-line/stopped-upload.ts';
import { problem } from '../../protocol/http.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';

const ID = jobId(1);
const refusal = (code: 'conflict' | 'forbidden', extra = {}) => {
  const content = problem(code, extra);
  return new Response(JSON.stringify(content), { status: content.status });
};

it.each([
  ['cancelled', () => Response.json(sampleJob(2, 'cancelled')), `Stopped the upload; ${ID} is cancelled.`],
  [
    'over before',
    () => refusal('conflict', { job: sampleJob(2, 'succeeded') }),
    `Stopped the upload, but ${ID} was over before that: it is succeeded.`,
  ],
  [
    'not to be cancelled',
    () => refusal('forbidden'),
    `Stopped the upload, but ${ID} was not cancelled (This is not yours to see or change). Cancel it with: jobwire cancel ${ID}`,
  ],
  [
    'out of reach',
    () => Promise.reject(new TypeError('fetch failed')),
    `Stopped the upload, but ${ID} was not cancelled (no answer from http://127.0.0.1:1: is it running there, and is the address right?). Cancel it with: jobwire cancel ${ID}`,
  ],
])('says of a job that is %s what is true', async (_, answer, sentence) => {
  const asked: string[] = [];
  const client = createJobwireClient({
    api: 'http://127.0.0.1:1',
    fetch: async (url, init) => {
      asked.push(`${init?.method} ${url} ${new Headers(init?.headers).get('authorization')}`);
      return await answer();
    },
  });
  expect(await cancelStopped(client, ID, 'secret')).toBe(sentence);
  expect(asked).toEqual([`POST http://127.0.0.1:1/jobs/${ID}/cancel Bearer secret`]);
});
