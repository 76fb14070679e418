import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, readSettings } from '../../infrastructure/settings.ts';

const read = (context: Record<string, unknown>) => readSettings(new App({ context, autoSynth: false }).node);

describe('readSettings', () => {
  it('keeps data and leaves half of the smallest account to the rest, unless told otherwise', () => {
    expect(read({ auth: 'open' })).toEqual({
      auth: 'open',
      data: 'retain',
      uploadEvents: 'eventbridge',
      concurrentJobs: 5,
      postsPerSecond: 5000,
      origins: [],
    });
  });

  it('reads what the command line gives as text', () => {
    expect(
      read({
        auth: 'open',
        data: 'destroy',
        uploadEvents: 's3-notifications',
        concurrentJobs: '20',
        postsPerSecond: '40000',
        alarmEmail: 'on@call.example',
        origins: 'https://app.example.com, http://localhost:5173',
      }),
    ).toEqual({
      auth: 'open',
      data: 'destroy',
      uploadEvents: 's3-notifications',
      concurrentJobs: 20,
      postsPerSecond: 40_000,
      alarmEmail: 'on@call.example',
      origins: ['https://app.example.com', 'http://localhost:5173'],
    });
  });

  it.each([
    ['https://app.example.com,https://app.example.com', ['https://app.example.com']],
    [
      ['https://app.example.com:8443', 'http://127.0.0.1:3000'],
      ['https://app.example.com:8443', 'http://127.0.0.1:3000'],
    ],
    ['http://[::1]:3000', ['http://[::1]:3000']],
    ['*', ['*']],
  ])('takes origins as the command line gives them, or cdk.json: %j', (given, origins) => {
    expect(read({ auth: 'open', origins: given }).origins).toEqual(origins);
  });

  it.each([
    [{}, /"auth" is not set: say "-c auth=open" if everybody .* may call, .*"anonymous"/],
    [{ auth: 'closed' }, /"auth" cannot be "closed": say "-c auth=open"/],
    [{ auth: '' }, /"auth" cannot be ""/],
    [{ auth: 'open', data: 'burn' }, /"data" cannot be "burn": say "-c data=retain" or "-c data=destroy"/],
    [
      { auth: 'open', uploadEvents: 'sns' },
      /"uploadEvents" cannot be "sns": say "-c uploadEvents=eventbridge" or "-c uploadEvents=s3-notifications"/,
    ],
    [{ auth: 'open', uploadEvents: '' }, /"uploadEvents" cannot be ""/],
    [
      { auth: 'open', concurrentJobs: '1' },
      /"concurrentJobs" cannot be "1": say a whole number from 2 to 1000/,
    ],
    [{ auth: 'open', concurrentJobs: 'many' }, /"concurrentJobs" cannot be "many"/],
    [{ auth: 'open', concurrentJobs: '1001' }, /"concurrentJobs" cannot be "1001"/],
    [
      { auth: 'open', postsPerSecond: '99' },
      /"postsPerSecond" cannot be "99": say a whole number from 100 to 1000000, at most half/,
    ],
    [{ auth: 'open', postsPerSecond: 'all' }, /"postsPerSecond" cannot be "all"/],
    [{ auth: 'open', origins: '' }, /"origins" cannot hold "": say whole origins .* "-c origins=https/],
    [{ auth: 'open', origins: 'app.example.com' }, /"origins" cannot hold "app.example.com": say whole/],
    [{ auth: 'open', origins: 'https://a.example,' }, /"origins" cannot hold "": say whole/],
    [{ auth: 'open', origins: 'https://*.example.com' }, /cannot hold "https:..\*.example.com": say whole/],
    [
      { auth: 'open', origins: '*,https://a.example' },
      /cannot hold "\*": say whole origins .*, or "\*" alone/,
    ],
    [{ auth: 'open', origins: 'null' }, /cannot hold "null": say whole/],
    [{ auth: 'open', origins: 'file:///index.html' }, /cannot hold "file:.*": say whole/],
    [
      { auth: 'open', origins: 'http://app.example.com' },
      /: say an origin of https, or of http at localhost/,
    ],
    [{ auth: 'open', origins: 'ws://localhost:3000' }, /: say an origin of https, or of http at localhost/],
    [{ auth: 'open', origins: 'https://a.example/' }, /: browsers send "https:\/\/a.example", say that/],
    [{ auth: 'open', origins: 'https://a.example/app?x' }, /: browsers send "https:\/\/a.example", say that/],
    [{ auth: 'open', origins: 'https://me@a.example' }, /: browsers send "https:\/\/a.example", say that/],
    [{ auth: 'open', origins: 'https://A.example:443' }, /: browsers send "https:\/\/a.example", say that/],
    [{ auth: 'open', origins: [5] }, /"origins" cannot hold 5: say whole/],
    [{ auth: 'open', origins: true }, /"origins" cannot hold true: say whole/],
    [{ auth: 'open', alarmEmail: 'nobody' }, /"alarmEmail" cannot be "nobody": say an address/],
  ])('refuses %j in one sentence that says what to write', (context, sentence) => {
    expect(() => read(context)).toThrow(ConfigurationError);
    expect(() => read(context)).toThrow(sentence);
    expect(() => read(context)).not.toThrow(/\n/);
  });
});
