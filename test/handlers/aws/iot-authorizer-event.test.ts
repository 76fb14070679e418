import { describe, expect, it } from 'vitest';
import { brokerAllow, brokerRefuse, readBrokerConnect } from '../../../handlers/aws/iot-authorizer-event.ts';
import { sampleNewJob } from '../../conformance/sample-jobs.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** As the AWS IoT Developer Guide has it ("Defining your Lambda function"). */
const event = (mqtt: object, queryString = ''): object => ({
  signatureVerified: false,
  protocols: ['tls', 'http', 'mqtt'],
  protocolData: {
    tls: { serverName: 'abc-ats.iot.eu-west-1.amazonaws.com' },
    http: { headers: { upgrade: 'websocket' }, queryString },
    mqtt: { clientId: 'somebody', ...mqtt },
  },
  connectionMetadata: { id: 'a9a3c1f0-4d1c-4b8e-9d0b-3c2f5c1f7d11' },
});

describe('the ticket of a connect', () => {
  it.each([
    ['the password', { username: 'jobwire?x-amz-customauthorizer-name=n', password: base64('a.b.c') }, ''],
    [
      'a parameter behind the user name',
      { username: 'jobwire?x-amz-customauthorizer-name=n&ticket=a.b.c' },
      '',
    ],
    ['a parameter of the URL', {}, '?x-amz-customauthorizer-name=n&ticket=a.b.c'],
    ['the password before all others', { username: '?ticket=x', password: base64('a.b.c') }, '?ticket=y'],
    ['what comes behind an empty password', { username: '?ticket=a.b.c', password: '' }, '?ticket=y'],
  ])('is %s', (_, mqtt, query) => {
    expect(readBrokerConnect(event(mqtt, query))).toEqual({ ticket: 'a.b.c' });
  });

  it.each([
    ['there is none', event({})],
    ['the fields are no texts', event({ username: 7, password: null })],
    ['there are no data of MQTT', { protocolData: { http: { queryString: 7 } } }],
    ['it is no such event', 'event'],
    ['it is nothing', undefined],
  ])('is missing where %s', (_, given) => {
    expect(readBrokerConnect(given)).toEqual({});
  });
});

describe('the answer', () => {
  const { id: job } = sampleNewJob();
  const allowed = brokerAllow(job, 'arn:aws-cn:lambda:cn-north-1:123456789012:function:authorize');

  it('allows to connect as a watcher of the job, to subscribe to the topic of the job and to hear it, and nothing else', () => {
    const arn = 'arn:aws-cn:iot:cn-north-1:123456789012:';
    expect(allowed.policyDocuments).toEqual([
      {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'iot:Connect', Resource: `${arn}client/${job}-*` },
          { Effect: 'Allow', Action: 'iot:Subscribe', Resource: `${arn}topicfilter/jobwire/jobs/${job}` },
          { Effect: 'Allow', Action: 'iot:Receive', Resource: `${arn}topic/jobwire/jobs/${job}` },
        ],
      },
    ]);
  });

  it.each([
    ['that allows', allowed],
    ['that refuses', brokerRefuse()],
  ])('%s is of the shape that IoT Core takes', (_, answer) => {
    expect(answer.principalId).toMatch(/^[A-Za-z0-9]{1,128}$/);
    for (const seconds of [answer.disconnectAfterInSeconds, answer.refreshAfterInSeconds]) {
      expect(seconds).toBeGreaterThanOrEqual(300);
      expect(seconds).toBeLessThanOrEqual(86_400);
    }
    for (const document of answer.policyDocuments) {
      expect(JSON.stringify(document).length).toBeLessThanOrEqual(2_048);
    }
  });

  it('has nobody asked again whose ticket has expired', () => {
    expect(allowed.refreshAfterInSeconds).toBeGreaterThan(allowed.disconnectAfterInSeconds);
    expect(brokerRefuse()).toMatchObject({ isAuthenticated: false, policyDocuments: [] });
  });
});
