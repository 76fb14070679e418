import { describe, expect, test } from 'vitest';
import type { SubscriptionTopic } from '../../../handlers/ports.ts';
import { parse } from '../../../protocol/invalid.ts';
import { type JobWatchers, JobWatchersSchema } from '../../../protocol/watchers.ts';
import { ApiSetting, problemOf } from './api-setting.ts';

const EXPIRES_AT = '2026-11-23T14:10:00.000Z';

async function watchersOf(
  setting: ApiSetting,
  job: string,
  options: Parameters<ApiSetting['request']>[1] = {},
): Promise<JobWatchers> {
  const response = await setting.request(`GET /jobs/${job}/watchers`, options);
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return parse('the watchers', JobWatchersSchema, await response.json());
}

function watch(setting: ApiSetting, topic: SubscriptionTopic, connection: string): Promise<void> {
  return setting.subscriptions.add({ topic, connection, since: setting.at, expiresAt: EXPIRES_AT });
}

describe('GET /jobs/{id}/watchers', () => {
  test('names everybody who is told of the job, by whatever topic, and what each has confirmed', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    const { job } = await setting.createJob({ tags: ['nightly'] }, { subject: 'ann' });
    const other = await setting.createJob({}, { subject: 'ann' });
    const since = setting.at;
    await watch(setting, `job:${job.id}`, 'c-job');
    await watch(setting, `tag:ann:nightly`, 'c-tag');
    await watch(setting, 'owner:ann', 'c-owner');
    await watch(setting, `job:${other.job.id}`, 'c-other');
    await watch(setting, 'owner:bob', 'c-bob');
    setting.advance(25_000);
    const at = setting.at;
    for (const connection of ['c-job', 'c-owner']) {
      const heads = { [job.id]: 7, [other.job.id]: 3 };
      await setting.subscriptions.confirm({ connection, heads, at, expiresAt: EXPIRES_AT });
    }
    const confirmed = { seq: 7, at };
    const name = expect.stringMatching(/^[\w-]{12}$/);
    expect(await watchersOf(setting, job.id, { subject: 'ann' })).toEqual({
      count: 3,
      watchers: [
        { id: name, topic: 'job', since, confirmed },
        { id: name, topic: 'tag', since },
        { id: name, topic: 'owner', since, confirmed },
      ],
    });
  });

  test('counts a connection once, by its narrowest topic, and names it anew for each job', async () => {
    const setting = new ApiSetting();
    const one = await setting.createJob({ tags: ['nightly'] });
    const two = await setting.createJob();
    await watch(setting, 'owner:anonymous', 'c');
    await watch(setting, 'tag:anonymous:nightly', 'c');
    await watch(setting, `job:${one.job.id}`, 'c');
    const ofOne = await watchersOf(setting, one.job.id);
    const ofTwo = await watchersOf(setting, two.job.id);
    expect([ofOne.count, ofTwo.count]).toEqual([1, 1]);
    expect([ofOne.watchers[0]?.topic, ofTwo.watchers[0]?.topic]).toEqual(['job', 'owner']);
    expect(ofOne.watchers[0]?.id).not.toBe(ofTwo.watchers[0]?.id);
    expect((await watchersOf(setting, one.job.id)).watchers).toEqual(ofOne.watchers);
  });

  test('lists a hundred and counts all; who has gone or expired is not among them', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    for (let number = 0; number < 120; number += 1) await watch(setting, `job:${job.id}`, `c${number}`);
    await setting.subscriptions.removeConnection('c0');
    const { watchers, count } = await watchersOf(setting, job.id);
    expect([watchers.length, count]).toEqual([100, 119]);
    expect(new Set(watchers.map(({ id }) => id)).size).toBe(100);
    setting.advance(131 * 60_000);
    expect(await watchersOf(setting, job.id)).toEqual({ watchers: [], count: 0 });
  });

  test('is for the owner and for the bearer of the job’s token', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    const { job, token } = await setting.createJob({}, { subject: 'ann' });
    const other = await setting.createJob({}, { subject: 'ann' });
    expect(await watchersOf(setting, job.id, { token })).toEqual({ watchers: [], count: 0 });
    const call = `GET /jobs/${job.id}/watchers`;
    expect((await problemOf(await setting.request(call, { token: other.token }))).code).toBe('forbidden');
    expect((await problemOf(await setting.request(call, { subject: 'bob' }))).code).toBe('not-found');
    expect((await problemOf(await setting.request(call))).code).toBe('unauthorized');
  });
});
