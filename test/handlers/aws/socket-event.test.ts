import { describe, expect, it } from 'vitest';
import {
  authorizerAllow,
  readAuthorizerRequest,
  readSocketEvent,
} from '../../../handlers/aws/socket-event.ts';
import { MalformedDataError } from '../../../handlers/errors.ts';
import { sampleNewJob } from '../../conformance/sample-jobs.ts';

const job = sampleNewJob().id;
const scope = { kind: 'job', subject: 'ada', job } as const;
const context = (fields: object) => ({
  routeKey: '$default',
  eventType: 'MESSAGE',
  connectionId: 'R1kmxc2VNjMCFIA=',
  requestTimeEpoch: 1707502303419,
  stage: 'live',
  authorizer: { principalId: 'ada', ...scope, integrationLatency: 12 },
  ...fields,
});

describe('the socket event', () => {
  it('of $connect', () => {
    const event = {
      headers: { Host: 'x', 'Sec-WebSocket-Protocol': 'jobwire.v1, ticket.abc' },
      multiValueHeaders: {},
      queryStringParameters: { job },
      requestContext: context({ eventType: 'CONNECT', routeKey: '$connect' }),
      isBase64Encoded: false,
    };
    expect(readSocketEvent(event)).toEqual({
      kind: 'connect',
      connection: 'R1kmxc2VNjMCFIA=',
      scope,
      query: { job },
      protocols: ['jobwire.v1', 'ticket.abc'],
    });
    const bare = {
      ...event,
      headers: { 'sec-websocket-protocol': ' , jobwire.v1' },
      queryStringParameters: null,
    };
    expect(readSocketEvent(bare)).toMatchObject({ query: {}, protocols: ['jobwire.v1'] });
  });

  it('of a frame', () => {
    expect(
      readSocketEvent({ requestContext: context({}), body: '{"type":"ping"}', isBase64Encoded: false }),
    ).toEqual({
      kind: 'frame',
      connection: 'R1kmxc2VNjMCFIA=',
      scope,
      text: '{"type":"ping"}',
      at: new Date(1707502303419),
    });
    expect(readSocketEvent({ requestContext: context({}) })).toMatchObject({ text: '' });
  });

  it('of $disconnect, with and without a reason, and without a scope', () => {
    const event = (fields: object) => ({
      headers: { Host: 'x', 'x-api-key': '' },
      requestContext: context({ eventType: 'DISCONNECT', authorizer: undefined, ...fields }),
    });
    expect(readSocketEvent(event({ disconnectStatusCode: 1001, disconnectReason: 'Going away' }))).toEqual({
      kind: 'disconnect',
      connection: 'R1kmxc2VNjMCFIA=',
      code: 1001,
      reason: 'Going away',
    });
    expect(readSocketEvent(event({}))).toEqual({ kind: 'disconnect', connection: 'R1kmxc2VNjMCFIA=' });
  });

  it('is refused when it is something else, or nobody has said what the connection may see', () => {
    for (const event of [
      undefined,
      {},
      { requestContext: context({ eventType: 'DANCE' }) },
      { requestContext: context({ connectionId: '' }) },
      { requestContext: context({ authorizer: undefined }) },
      { requestContext: context({ authorizer: { kind: 'job', subject: 'ada' } }) },
      { requestContext: context({ authorizer: { kind: 'all', subject: 'ada' } }) },
      { requestContext: context({ eventType: 'CONNECT', authorizer: { principalId: 'ada' } }) },
    ]) {
      expect(() => readSocketEvent(event)).toThrow(MalformedDataError);
    }
  });
});

describe('the authorizer', () => {
  const methodArn = 'arn:aws:execute-api:us-east-1:123456789012:abc/live/$connect';

  it('finds the ticket among the subprotocols or in the query', () => {
    const request = (headers: object, queryStringParameters: object | null = {}) =>
      readAuthorizerRequest({ type: 'REQUEST', methodArn, headers, queryStringParameters });
    expect(request({ 'sec-WebSocket-protocol': 'jobwire.v1,ticket.a.b.c' })).toEqual({
      methodArn,
      ticket: 'a.b.c',
    });
    expect(request({}, { ticket: 'q' })).toEqual({ methodArn, ticket: 'q' });
    expect(request({ 'Sec-WebSocket-Protocol': 'ticket.p' }, { ticket: 'q' })).toEqual({
      methodArn,
      ticket: 'p',
    });
    expect(request({})).toEqual({ methodArn });
    expect(request({}, null)).toEqual({ methodArn });
    expect(request({}, { ticket: '' })).toEqual({ methodArn });
    expect(() => readAuthorizerRequest({ headers: {} })).toThrow(MalformedDataError);
  });

  it('lets in to that connect alone, with a flat context', () => {
    expect(authorizerAllow(methodArn, scope)).toEqual({
      principalId: 'ada',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: methodArn }],
      },
      context: { kind: 'job', subject: 'ada', job },
    });
  });

  it('puts into the context what the socket reads out of it', () => {
    for (const allowed of [scope, { kind: 'owner', subject: 'ada' } as const]) {
      const authorizer = { ...authorizerAllow(methodArn, allowed).context, principalId: 'ada' };
      expect(readSocketEvent({ requestContext: context({ authorizer }), body: '' })).toMatchObject({
        scope: allowed,
      });
    }
  });
});
