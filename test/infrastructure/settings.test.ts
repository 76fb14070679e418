import { RootConstruct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, readSettings } from '../../infrastructure/settings.ts';
import { FLAGS } from './synthesized-stack.ts';

/** Settings as a tree with this context has them; no App, which would leave a folder behind. */
const read = (context: object) => {
  const { node } = new RootConstruct();
  for (const [name, value] of Object.entries(context)) node.setContext(name, value);
  return readSettings(node);
};

describe('readSettings', () => {
  it('keeps data and leaves half of the smallest account to the rest, unless told otherwise', () => {
    expect(read({ auth: 'open' })).toEqual({
      auth: 'open',
      data: 'retain',
      uploadEvents: 'eventbridge',
      processing: { by: 'lambda', concurrentJobs: 5 },
      broadcast: { by: 'none' },
      rangeMegabytes: 128,
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
        processing: 'lambda',
        concurrentJobs: '20',
        broadcast: 'iot-core',
        rangeMegabytes: '64',
        iotEndpoint: 'abc123-ats.iot.eu-west-1.amazonaws.com',
        postsPerSecond: '40000',
        alarmEmail: 'on@call.example',
        origins: 'https://app.example.com, http://localhost:5173',
      }),
    ).toEqual({
      auth: 'open',
      data: 'destroy',
      uploadEvents: 's3-notifications',
      processing: { by: 'lambda', concurrentJobs: 20 },
      broadcast: {
        by: 'iot-core',
        publishUrl: 'https://abc123-ats.iot.eu-west-1.amazonaws.com',
        watchUrl: 'wss://abc123-ats.iot.eu-west-1.amazonaws.com/mqtt',
      },
      rangeMegabytes: 64,
      postsPerSecond: 40_000,
      alarmEmail: 'on@call.example',
      origins: ['https://app.example.com', 'http://localhost:5173'],
    });
  });

  it.each(['step-functions', 'step-functions-efs'])(
    'has ranges at a time, and no number of jobs, with %s',
    (processing) => {
      expect(read({ auth: 'open', processing }).processing).toEqual({ by: processing, concurrentRanges: 5 });
      expect(read({ auth: 'open', processing, concurrentRanges: '20' }).processing).toEqual({
        by: processing,
        concurrentRanges: 20,
      });
    },
  );

  it.each([
    ['iot.example.com', 'https://iot.example.com', 'wss://iot.example.com/mqtt'],
    [
      'a1-ats.iot.cn-north-1.amazonaws.com.cn',
      'https://a1-ats.iot.cn-north-1.amazonaws.com.cn',
      /^wss:.*\/mqtt$/,
    ],
    ['http://127.0.0.1:1883', 'http://127.0.0.1:1883', 'ws://127.0.0.1:1883/mqtt'],
    ['http://localhost:1883', 'http://localhost:1883', 'ws://localhost:1883/mqtt'],
  ])('publishes and watches at the endpoint %s', (iotEndpoint, publishUrl, watchUrl) => {
    expect(read({ auth: 'open', broadcast: 'iot-core', iotEndpoint }).broadcast).toEqual({
      by: 'iot-core',
      publishUrl,
      watchUrl: expect.stringMatching(watchUrl),
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
    ['procesing', 'processing'],
    ['processsing', 'processing'],
    ['upload-events', 'uploadEvents'],
    ['uploadevents', 'uploadEvents'],
    ['brodcast', 'broadcast'],
    ['origin', 'origins'],
    ['concurrentjob', 'concurrentJobs'],
    ['iot-endpoint', 'iotEndpoint'],
    ['alarmMail', 'alarmEmail'],
    ['Auth', 'auth'],
  ])('refuses %s, which would leave the default, and asks whether %s is meant', (key, nearest) => {
    const wrong = () => read({ auth: 'open', [key]: 'step-functions' });
    expect(wrong).toThrow(ConfigurationError);
    expect(wrong).toThrow(
      `There is no setting "${key}": say "-c ${nearest}=…" if that is meant, or leave it out; the settings are auth,`,
    );
  });

  it('leaves what is the CDK’s own alone', () => {
    const own = {
      ...FLAGS,
      'aws:cdk:enable-path-metadata': true,
      'aws:cdk:bundling-stacks': ['**'],
      'aws-cdk:enableDiffNoFail': true,
      'availability-zones:account=123456789012:region=us-east-1': ['us-east-1a'],
      'vpc-provider:account=123456789012:filter.isDefault=true:region=us-east-1': {},
      'acknowledged-issue-numbers': [19179],
      'cli-telemetry': false,
    };
    expect(read({ auth: 'open', ...own })).toEqual(read({ auth: 'open' }));
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
    [
      { auth: 'open', rangeMegabytes: '0.5' },
      /"rangeMegabytes" cannot be "0.5": say a whole number from 1 to 4096/,
    ],
    [{ auth: 'open', concurrentJobs: 'many' }, /"concurrentJobs" cannot be "many"/],
    [{ auth: 'open', concurrentJobs: '1001' }, /"concurrentJobs" cannot be "1001"/],
    [
      { auth: 'open', processing: 'fargate' },
      /"processing" cannot be "fargate": say "-c processing=lambda", .*=step-functions" or .*=step-functions-efs"/,
    ],
    [{ auth: 'open', processing: '' }, /"processing" cannot be ""/],
    [
      { auth: 'open', processing: 'step-functions', concurrentJobs: '5' },
      /"concurrentJobs" means nothing with "processing=step-functions": it limits the work queue, .* leave one/,
    ],
    [
      { auth: 'open', processing: 'step-functions-efs', concurrentJobs: 'many' },
      /"concurrentJobs" means nothing with "processing=step-functions-efs"/,
    ],
    ...['0', '21', '2.5', 'all', ''].map((concurrentRanges): [object, RegExp] => [
      { auth: 'open', processing: 'step-functions', concurrentRanges },
      /"concurrentRanges" cannot be ".*": say a whole number from 1 to 20/,
    ]),
    ...[{}, { processing: 'lambda' }].map((context): [object, RegExp] => [
      { auth: 'open', concurrentRanges: '5', ...context },
      /"concurrentRanges" means nothing with "processing=lambda", .* add "-c processing=step-functions"/,
    ]),
    [
      { auth: 'open', broadcast: 'sns' },
      /"broadcast" cannot be "sns": say "-c broadcast=none" or "-c broadcast=iot-core"/,
    ],
    [
      { auth: 'open', broadcast: 'iot-core' },
      /"iotEndpoint" is not set, and "broadcast=iot-core" needs it: say the host that "aws iot describe-endpoint/,
    ],
    [
      { auth: 'open', iotEndpoint: 'iot.example.com' },
      /"iotEndpoint" means nothing without "-c broadcast=iot-core": add that, or leave it out/,
    ],
    [
      { auth: 'open', broadcast: 'none', iotEndpoint: 'iot.example.com' },
      /"iotEndpoint" means nothing without "-c broadcast=iot-core"/,
    ],
    ...[
      '',
      'iot',
      '10.0.0.1',
      'https://iot.example.com',
      'iot.example.com/mqtt',
      'iot.example.com:443',
      'http://10.0.0.1:1883',
      'http://127.0.0.1',
      'http://127.0.0.1:99999',
      'http://127.0.0.1:1883/mqtt',
      5,
    ].map((iotEndpoint): [object, RegExp] => [
      { auth: 'open', broadcast: 'iot-core', iotEndpoint },
      /"iotEndpoint" cannot be .*: say the host that "aws iot describe-endpoint .*, without "https/,
    ]),
    ...['abc123.iot.eu-west-1.amazonaws.com', 'abc123.credentials.iot.eu-west-1.amazonaws.com'].map(
      (iotEndpoint): [object, RegExp] => [
        { auth: 'open', broadcast: 'iot-core', iotEndpoint },
        /"iotEndpoint" cannot be "abc.*", which is no endpoint for browsers: say the host that "aws iot/,
      ],
    ),
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
