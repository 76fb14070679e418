import { describe, expect, it } from 'vitest';
import { createJobwireClient, type JobwireClientOptions } from '../../client/client.ts';
import { ProblemError, UnexpectedAnswerError, UnreachableError } from '../../client/errors.ts';
import type { Fetch } from '../../client/platform.ts';
import { problem } from '../../protocol/http.ts';
import { RESULT_LINK_TYPE } from '../../protocol/result-link.ts';
import { jobId, sampleJob } from './sample-job.ts';

interface Call {
  readonly url: string;
  readonly init: RequestInit | undefined;
}

/** A client whose API answers always the same, and what it was asked. */
function clientThatGets(answer: () => Response | Promise<Response>) {
  const calls: Call[] = [];
  const fetch: Fetch = async (url, init) => {
    calls.push({ url, init });
    return answer();
  };
  return { client: createJobwireClient({ api: 'https://api.example/stage/', fetch }), calls };
}

const INPUT = { kind: 'csv-profile', fileName: 'a.csv', contentType: 'text/csv', size: 3 };

describe('the HTTP calls', () => {
  it('create a job with its idempotency key', async () => {
    const watch = { url: 'wss://socket.example', ticket: 't', protocols: ['jobwire.v1', 'ticket.t'] };
    const upload = { method: 'PUT', url: 'https://bucket.example/key', headers: {} };
    const body = { job: sampleJob(1, 'awaiting-upload'), upload, token: 'secret', watch };
    const { client, calls } = clientThatGets(() => Response.json(body, { status: 201 }));
    expect(await client.createJob(INPUT, { idempotencyKey: 'key-1' })).toEqual(body);
    expect(calls[0]?.url).toBe('https://api.example/stage/jobs');
    expect(calls[0]?.init).toMatchObject({ method: 'POST', body: JSON.stringify(INPUT) });
    expect(calls[0]?.init?.headers).toMatchObject({ 'idempotency-key': 'key-1' });
  });

  it('list with a cursor, and cancel with the token of the job in a header', async () => {
    const listing = clientThatGets(() => Response.json({ jobs: [sampleJob(1)], cursor: 'next' }));
    expect((await listing.client.list({ cursor: 'a b', limit: 10 })).cursor).toBe('next');
    expect(listing.calls[0]?.url).toBe('https://api.example/stage/jobs?cursor=a+b&limit=10');
    const cancelling = clientThatGets(() => Response.json(sampleJob(2, 'cancelled'), { status: 202 }));
    expect((await cancelling.client.cancel(jobId(1), { token: 'secret' })).status).toBe('cancelled');
    expect(cancelling.calls[0]?.url).toBe(`https://api.example/stage/jobs/${jobId(1)}/cancel`);
    expect(cancelling.calls[0]?.init?.headers).toMatchObject({ authorization: 'Bearer secret' });
  });

  it('read a job, and who watches it', async () => {
    const reading = clientThatGets(() => Response.json(sampleJob(3)));
    expect(await reading.client.read(jobId(1), { token: 'secret' })).toEqual(sampleJob(3));
    expect(reading.calls[0]?.url).toBe(`https://api.example/stage/jobs/${jobId(1)}`);
    expect(reading.calls[0]?.init?.headers).toMatchObject({ authorization: 'Bearer secret' });
    const answer = { watchers: [], count: 0 };
    const watching = clientThatGets(() => Response.json(answer));
    expect(await watching.client.watchers(jobId(1))).toEqual(answer);
    expect(watching.calls[0]?.url).toBe(`https://api.example/stage/jobs/${jobId(1)}/watchers`);
    const other = clientThatGets(() => Response.json({ watchers: 'many' }));
    await expect(other.client.watchers(jobId(1))).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  it('get the link to a result with the token of the job', async () => {
    const link = { url: 'https://bucket.example/key?signature', expiresAt: '2026-11-23T12:01:00.000Z' };
    const { client, calls } = clientThatGets(() => Response.json(link));
    expect(await client.resultLink(jobId(1), { token: 'secret' })).toEqual(link);
    expect(calls[0]?.url).toBe(`https://api.example/stage/jobs/${jobId(1)}/result`);
    const headers = { accept: RESULT_LINK_TYPE, authorization: 'Bearer secret' };
    expect(calls[0]?.init?.headers).toMatchObject(headers);
    // The result itself, as from an API that does not know the type.
    const other = clientThatGets(() => Response.json({ columns: [] }));
    await expect(other.client.resultLink(jobId(1))).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  it('throw the problem, with what Retry-After asks for', async () => {
    const { client } = clientThatGets(() =>
      Response.json(problem('rate-limited', { detail: 'slow down' }), {
        status: 429,
        headers: { 'retry-after': '7' },
      }),
    );
    const error = await client.list().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ code: 'rate-limited', status: 429, retryable: true, retryAfterMs: 7000 });
    expect(error).toMatchObject({ message: 'slow down' });
  });

  it.each([
    [401, '{"message":"Unauthorized"}', 'unauthorized', false],
    [403, '{"message":"Forbidden"}', 'forbidden', false],
    [400, '<html>', 'bad-request', false],
    [418, '', 'bad-request', false],
    [408, '', 'bad-request', true],
    [429, '{"message":"Too Many Requests"}', 'rate-limited', true],
    [503, 'no', 'internal', true],
  ])('make a problem of a bare %i', async (status, body, code, retryable) => {
    const { client } = clientThatGets(() => new Response(body, { status }));
    await expect(client.list()).rejects.toMatchObject({ name: 'ProblemError', status, code, retryable });
    await expect(client.list()).rejects.toThrow(`${status} of https://api.example/stage/jobs`);
  });

  it.each(['', 'hello', '[]', '{"jobs":[{"id":"no"}]}'])('refuse the answer %j', async (body) => {
    const { client } = clientThatGets(() => new Response(body));
    await expect(client.list()).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  it('have a client that knows where the API is', () => {
    const options = {} as JobwireClientOptions; // what a script without types may give
    expect(() => createJobwireClient(options)).toThrow('give the URL of the API');
  });

  it('tell an absent network from an abort', async () => {
    const cause = new TypeError('fetch failed');
    const { client } = clientThatGets(() => Promise.reject(cause));
    await expect(client.list()).rejects.toBeInstanceOf(UnreachableError);
    await expect(client.list()).rejects.toMatchObject({ cause });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(client.list({ signal })).rejects.toThrow('enough');
  });

  it('keep a hostile id inside its segment', () => {
    const { client } = clientThatGets(() => new Response());
    expect(client.resultUrl('../../x?y')).toBe('https://api.example/stage/jobs/..%2F..%2Fx%3Fy/result');
  });

  it('take a 304 that they did not ask for as an answer of somebody else', async () => {
    const { client } = clientThatGets(() => new Response(null, { status: 304 }));
    for (const call of [
      client.list(),
      client.read(jobId(1)),
      client.createJob(INPUT, { idempotencyKey: 'key-1' }),
    ])
      await expect(call).rejects.toMatchObject({ name: 'ProblemError', status: 304, retryable: false });
  });
});
