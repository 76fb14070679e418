import { describe, expect, test } from 'vitest';
import { authorizedSubject } from '../../../handlers/api/caller.ts';
import { ChangeRefusedError, UnavailableError } from '../../../handlers/errors.ts';
import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import type { JobChange, JobRecord } from '../../../handlers/ports.ts';
import { JobPageSchema, TicketSchema } from '../../../protocol/http.ts';
import { parse } from '../../../protocol/invalid.ts';
import { RESULT_LINK_TYPE, ResultLinkSchema } from '../../../protocol/result-link.ts';
import { ApiSetting, BODY, problemOf } from './api-setting.ts';

describe('who calls', () => {
  test('a job of somebody else is like one that does not exist', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    const { job } = await setting.createJob({}, { subject: 'ann' });
    for (const call of [
      `GET /jobs/${job.id}`,
      `POST /jobs/${job.id}/cancel`,
      `GET /jobs/${job.id}/result`,
      `POST /jobs/${job.id}/tickets`,
    ]) {
      const foreign = await problemOf(await setting.request(call, { subject: 'bob' }));
      const missing = await problemOf(
        await setting.request(call.replace(job.id, 'job_00000000000000000000000000'), { subject: 'bob' }),
      );
      expect([call, foreign]).toEqual([call, missing]);
      expect(foreign.code).toBe('not-found');
    }
    expect((await setting.jobs.read(job.id))?.job.status).toBe('awaiting-upload');
  });

  test('nobody without credentials', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    for (const call of [
      'POST /jobs',
      'GET /jobs',
      'POST /tickets',
      'GET /jobs/job_00000000000000000000000000',
    ]) {
      const response = await setting.request(call, call === 'POST /jobs' ? { body: BODY } : {});
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect([call, (await problemOf(response)).code]).toEqual([call, 'unauthorized']);
    }
  });

  test('the token of a job reads, watches, cancels and fetches that job alone', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    const { job, token } = await setting.createJob({}, { subject: 'ann' });
    const other = await setting.createJob({}, { subject: 'ann' });
    expect((await setting.request(`GET /jobs/${job.id}`, { token })).status).toBe(200);
    expect((await setting.request(`POST /jobs/${job.id}/tickets`, { token })).status).toBe(201);
    expect((await setting.request(`POST /jobs/${job.id}/cancel`, { token })).status).toBe(202);
    expect((await setting.request(`GET /jobs/${job.id}/result`, { token })).status).toBe(404);
    const refused = [
      [`GET /jobs/${other.job.id}`, {}],
      [`POST /jobs/${other.job.id}/cancel`, {}],
      ['GET /jobs', {}],
      ['POST /tickets', {}],
      ['POST /jobs', { body: BODY }],
    ] as const;
    for (const [call, options] of refused) {
      const response = await setting.request(call, { ...options, token });
      expect([call, (await problemOf(response)).code]).toEqual([call, 'forbidden']);
    }
  });

  test('a token that does not pass is refused even where everybody may call', async () => {
    const setting = new ApiSetting();
    const { job, token, watch } = await setting.createJob();
    for (const bad of ['x', watch.ticket, '']) {
      const response = await setting.request('GET /jobs', { headers: { authorization: `Bearer ${bad}` } });
      expect([bad, (await problemOf(response)).code]).toEqual([bad, 'unauthorized']);
    }
    expect(
      (await problemOf(await setting.request('GET /jobs', { headers: { authorization: 'Basic eDp5' } })))
        .status,
    ).toBe(401);
    setting.advance(7 * 24 * 3_600_000);
    const expired = await setting.request(`GET /jobs/${job.id}`, { token });
    expect(expired.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect((await problemOf(expired)).code).toBe('unauthorized');
  });

  test('the authorizer names the subject', () => {
    expect(authorizedSubject({ authorizer: { jwt: { claims: { sub: 'ann' } } } })).toBe('ann');
    expect(authorizedSubject({ authorizer: { lambda: { subject: 'bob' } } })).toBe('bob');
    for (const none of [
      undefined,
      null,
      'ann',
      {},
      { authorizer: {} },
      { authorizer: { lambda: { subject: '' } } },
    ]) {
      expect(authorizedSubject(none)).toBeUndefined();
    }
    expect(authorizedSubject({ authorizer: { lambda: { subject: 'a\u0000b' } } })).toBeUndefined();
  });
});

describe('GET /jobs', () => {
  test("pages through the caller's jobs, newest first", async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      setting.advance(1_000);
      ids.unshift((await setting.createJob({}, { subject: 'ann' })).job.id);
      await setting.createJob({}, { subject: 'bob' });
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const response = await setting.request(`GET /jobs?limit=2${cursor}`, { subject: 'ann' });
      const page = parse('the page', JobPageSchema, await response.json());
      seen.push(...page.jobs.map((job) => job.id));
      cursor = page.cursor === undefined ? '' : `&cursor=${encodeURIComponent(page.cursor)}`;
    } while (cursor !== '');
    expect(seen).toEqual(ids);
  });

  test.each(['limit=0', 'limit=101', 'limit=x', 'limit=1.5', 'limit=', 'cursor=nonsense', 'cursor='])(
    'refuses ?%s',
    async (query) => {
      const problem = await problemOf(await new ApiSetting().request(`GET /jobs?${query}`));
      expect(problem).toMatchObject({ code: 'bad-request', issues: [{ path: query.split('=')[0] }] });
    },
  );

  test('refuses the cursor of somebody else, and leaves out what is past its time', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    await setting.createJob({}, { subject: 'ann' });
    await setting.createJob({}, { subject: 'ann' });
    const page = parse(
      'the page',
      JobPageSchema,
      await (await setting.request('GET /jobs?limit=1', { subject: 'ann' })).json(),
    );
    const foreign = await setting.request(`GET /jobs?cursor=${page.cursor}`, { subject: 'bob' });
    expect((await problemOf(foreign)).code).toBe('bad-request');
    setting.advance(7 * 24 * 3_600_000);
    const past = await setting.request('GET /jobs', { subject: 'ann' });
    expect(await past.json()).toEqual({ jobs: [] });
  });
});

describe('tickets', () => {
  test('one for a job, one for all of the caller', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    const { job } = await setting.createJob({}, { subject: 'ann' });
    const forJob = await setting.request(`POST /jobs/${job.id}/tickets`, { subject: 'ann' });
    const forOwner = await setting.request('POST /tickets', { subject: 'ann' });
    expect([forJob.status, forOwner.status]).toEqual([201, 201]);
    const one = parse('the ticket', TicketSchema, await forJob.json());
    const all = parse('the ticket', TicketSchema, await forOwner.json());
    expect(await setting.tokens.verifyTicket(one.ticket)).toEqual({
      kind: 'job',
      subject: 'ann',
      job: job.id,
    });
    expect(await setting.tokens.verifyTicket(all.ticket)).toEqual({ kind: 'owner', subject: 'ann' });
    expect(one.protocols).toEqual(['jobwire.v1', `ticket.${one.ticket}`]);
    expect(one.expiresAt).toBe('2026-11-23T12:01:00.000Z');
    expect([one.broadcast, all.broadcast]).toEqual([undefined, undefined]);
  });

  test('where the stack broadcasts, one for a job says where and as whom to subscribe', async () => {
    const setting = new ApiSetting({
      broadcast: { url: 'wss://broker.invalid/mqtt', authorizer: 'tickets' },
    });
    const { job, watch, token } = await setting.createJob();
    const forJob = await setting.request(`POST /jobs/${job.id}/tickets`, { token });
    const forOwner = await setting.request('POST /tickets');
    const one = parse('the ticket', TicketSchema, await forJob.json());
    const broadcast = {
      url: 'wss://broker.invalid/mqtt',
      username: 'jobwire?x-amz-customauthorizer-name=tickets',
      clientIdPrefix: `${job.id}-`,
      topic: `jobwire/jobs/${job.id}`,
    };
    expect([watch.broadcast, one.broadcast]).toEqual([broadcast, broadcast]);
    expect(await forOwner.json()).not.toHaveProperty('broadcast');
  });
});

describe('POST /jobs/{id}/cancel', () => {
  test('stops the execution of a workflow, again when asked again, and answers also where that cannot be done', async () => {
    const stopped: unknown[] = [];
    let failure: Error | undefined;
    const setting = new ApiSetting({
      executions: {
        stop: async (work) => {
          stopped.push(work);
          if (failure !== undefined) throw failure;
        },
      },
    });
    const [waiting, queued] = [(await setting.createJob()).job, (await setting.createJob()).job];
    await setting.request(`POST /jobs/${waiting.id}/cancel`);
    expect(stopped).toEqual([]); // no execution is there before the upload is
    await setting.take(queued.id, 'queued', 'running');
    await setting.request(`POST /jobs/${queued.id}/cancel`);
    failure = new UnavailableError('Step Functions');
    const again = await setting.request(`POST /jobs/${queued.id}/cancel`);
    expect(again.status).toBe(202);
    const work = { job: queued.id, epoch: queued.epoch };
    expect(stopped).toEqual([work, work]);
    expect(setting.log.entries).toMatchObject([{ level: 'warn' }]);
  });

  test('leaves nothing of the figures of ranges in the job', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    await setting.take(job.id, 'queued', 'running');
    const at = setting.dependencies.now().toISOString();
    await setting.jobs.change(job.id, { at, within: ['running'], set: { ranges: [[1, 0]] } });
    await setting.request(`POST /jobs/${job.id}/cancel`);
    const cancelled = await setting.jobs.read(job.id);
    expect(cancelled?.job.status).toBe('cancelled');
    expect(cancelled?.ranges).toBeUndefined();
  });

  test('cancels once, and says so again', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    const first = await setting.request(`POST /jobs/${job.id}/cancel`);
    const again = await setting.request(`POST /jobs/${job.id}/cancel`);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(await again.json()).toEqual(await first.json());
    expect((await setting.jobs.read(job.id))?.job).toMatchObject({ status: 'cancelled', seq: 2 });
  });

  test('answers 409 with the job that has ended in another way', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    await setting.take(job.id, 'queued', 'running', 'failed');
    const response = await setting.request(`POST /jobs/${job.id}/cancel`);
    expect(await problemOf(response)).toMatchObject({
      status: 409,
      code: 'conflict',
      job: { status: 'failed' },
    });
  });

  test('looks again when the job moves between the read and the write', async () => {
    class RacingJobs extends MemoryJobs {
      races = 0;
      override async change(id: string, change: JobChange): Promise<JobRecord> {
        if (change.to === 'cancelled' && this.races > 0) {
          this.races -= 1;
          const current = await this.read(id);
          if (current !== undefined) throw new ChangeRefusedError('status', current, 'cancelled');
        }
        return await super.change(id, change);
      }
    }
    const jobs = new RacingJobs();
    const setting = new ApiSetting({ jobs });
    const { job } = await setting.createJob();
    jobs.races = 2;
    expect((await problemOf(await setting.request(`POST /jobs/${job.id}/cancel`))).code).toBe('conflict');
    jobs.races = 1;
    expect((await setting.request(`POST /jobs/${job.id}/cancel`)).status).toBe(202);
  });
});

describe('GET /jobs/{id}/result', () => {
  test('sends the client to the result once there is one', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    const early = await problemOf(await setting.request(`GET /jobs/${job.id}/result`));
    expect(early).toMatchObject({
      code: 'not-found',
      detail: 'There is no result: the job is awaiting-upload',
    });
    await setting.take(job.id, 'queued', 'running', 'succeeded');
    const response = await setting.request(`GET /jobs/${job.id}/result`);
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toContain('seconds=60');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test('tells the way to whoever asks for the link by name, as a script in a browser must', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    const call = `GET /jobs/${job.id}/result`;
    const asking = (accept: string) => setting.request(call, { headers: { accept } });
    expect((await asking(RESULT_LINK_TYPE)).status).toBe(404);
    await setting.take(job.id, 'queued', 'running', 'succeeded');
    for (const accept of [RESULT_LINK_TYPE, `text/html, ${RESULT_LINK_TYPE.toUpperCase()};q=0.5`]) {
      const response = await asking(accept);
      expect([accept, response.status]).toEqual([accept, 200]);
      expect(response.headers.get('content-type')).toBe(RESULT_LINK_TYPE);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('vary')).toBe('accept');
      const link = parse('the link', ResultLinkSchema, await response.json());
      expect(link.url).toBe((await setting.request(call)).headers.get('location'));
      expect(Date.parse(link.expiresAt) - Date.parse(setting.at)).toBe(60_000);
    }
    for (const accept of ['*/*', 'application/json', 'application/*']) {
      expect([accept, (await asking(accept)).status]).toEqual([accept, 302]);
    }
  });
});

describe('everything else', () => {
  test('an unknown path is a 404 problem', async () => {
    for (const call of ['GET /', 'GET /jobs/', 'POST /jobs/a/b/c', 'GET /favicon.ico', 'DELETE /nothing']) {
      const problem = await problemOf(await new ApiSetting().request(call));
      expect([call, problem.code]).toEqual([call, 'not-found']);
    }
  });

  test('another method is a 405 problem that says which there are', async () => {
    const setting = new ApiSetting();
    for (const [call, allow] of [
      ['DELETE /jobs', 'POST, GET, HEAD'],
      ['PUT /jobs/x', 'GET, HEAD'],
      ['GET /tickets', 'POST'],
      ['OPTIONS /jobs/x/cancel', 'POST'],
    ] as const) {
      const response = await setting.request(call);
      expect([call, response.status, response.headers.get('allow')]).toEqual([call, 405, allow]);
      expect((await problemOf(response)).code).toBe('bad-request');
    }
  });

  test('an error of ours says nothing of itself to the caller and all to the log', async () => {
    const jobs = new MemoryJobs();
    jobs.list = async () => {
      throw new Error('the secret table jobs-17 is on fire');
    };
    const setting = new ApiSetting({ jobs });
    const response = await setting.request('GET /jobs');
    expect(await response.clone().text()).not.toContain('fire');
    expect(await problemOf(response)).toMatchObject({ code: 'internal', status: 500 });
    const [entry, ...rest] = setting.log.entries;
    expect([entry?.level, String(entry?.fields['error']), rest]).toEqual([
      'error',
      'Error: the secret table jobs-17 is on fire',
      [],
    ]);
  });
});
