import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CALLS } from '../../handlers/api/api.ts';
import { SynthesizedStack } from './synthesized-stack.ts';

const stack = new SynthesizedStack();

/** What a route key leads to: its authorization and whether it answers. */
function routesOf(api: string): Record<string, unknown>[] {
  return Object.values(stack.ofType('AWS::ApiGatewayV2::Route'))
    .map(({ Properties }) => stack.readable(Properties) as Record<string, unknown>) // an object stays one
    .filter((route) => route['ApiId'] === `<${api}>`);
}

describe('HTTP API', () => {
  it('has a route for every call that the function answers, and no other', () => {
    const routes = routesOf('HttpApi/Api');
    const calls = CALLS.map(({ method, path }) => `${method} ${path}`);
    expect(routes.map((route) => route['RouteKey']).sort()).toEqual(calls.sort());
    for (const route of routes) expect(route['Target']).toBe('integrations/<HttpApi/Integration>');
    expect(stack.readable(stack.properties('AWS::ApiGatewayV2::Integration', 'HttpApi/Integration'))).toEqual(
      {
        ApiId: '<HttpApi/Api>',
        IntegrationType: 'AWS_PROXY',
        PayloadFormatVersion: '2.0',
        IntegrationUri:
          'arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2015-03-31/functions/<HttpApi/Handler/Function.Arn>/invocations',
      },
    );
  });

  it('has the routes that docs/openapi.json tells of', () => {
    const text = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
    const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> }; // as its own test sees
    const told = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'parameters')
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(told.sort()).toEqual(
      routesOf('HttpApi/Api')
        .map((route) => route['RouteKey'])
        .sort(),
    );
  });

  it('lets scripts of the page call, and of no other origin unless told', () => {
    expect(stack.readable(stack.properties('AWS::ApiGatewayV2::Api', 'HttpApi/Api'))).toMatchObject({
      ProtocolType: 'HTTP',
      CorsConfiguration: {
        AllowOrigins: ['https://<Page/Distribution.DomainName>'],
        AllowMethods: ['GET', 'POST'],
        AllowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-none-match', 'prefer'],
        ExposeHeaders: ['etag', 'location', 'preference-applied', 'retry-after'],
      },
    });
  });

  it('is throttled, and logs requests without their query strings', () => {
    const stage = stack.properties('AWS::ApiGatewayV2::Stage', 'HttpApi/Stage');
    expect(stack.readable(stage)).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      AccessLogSettings: { DestinationArn: '<HttpApi/AccessLog/Log.Arn>' },
    });
    expectNoQueryIn(stage);
  });
});

describe('WebSocket API', () => {
  it('selects routes by the frame’s type', () => {
    expect(stack.properties('AWS::ApiGatewayV2::Api', 'SocketApi/Api')).toMatchObject({
      ProtocolType: 'WEBSOCKET',
      RouteSelectionExpression: '$request.body.type',
    });
    const routes = routesOf('SocketApi/Api');
    expect(routes.map((route) => route['RouteKey']).sort()).toEqual([
      '$connect',
      '$default',
      '$disconnect',
      'ping',
      'subscribe',
      'unsubscribe',
    ]);
    for (const route of routes) expect(route['Target']).toBe('integrations/<SocketRoutes/Integration>');
  });

  it('answers every frame, and neither a connect nor a disconnect', () => {
    const responses = Object.values(stack.ofType('AWS::ApiGatewayV2::RouteResponse')).map(({ Properties }) =>
      stack.readable(Properties),
    );
    expect(responses).toHaveLength(4);
    for (const [path, { Properties }] of Object.entries(stack.ofType('AWS::ApiGatewayV2::Route'))) {
      if (!path.startsWith('SocketRoutes/')) continue;
      const twoWay = !['$connect', '$disconnect'].includes(String(Properties['RouteKey']));
      expect(Properties['RouteResponseSelectionExpression'], path).toBe(twoWay ? '$default' : undefined);
      const response = { ApiId: '<SocketApi/Api>', RouteId: `<${path}>`, RouteResponseKey: '$default' };
      if (twoWay) expect(responses).toContainEqual(response);
    }
  });

  it('asks the authorizer at every connect, wherever the ticket is', () => {
    const [connect] = routesOf('SocketApi/Api').filter((route) => route['RouteKey'] === '$connect');
    expect(connect).toMatchObject({ AuthorizationType: 'CUSTOM', AuthorizerId: '<SocketRoutes/Authorizer>' });
    expect(
      stack.readable(stack.properties('AWS::ApiGatewayV2::Authorizer', 'SocketRoutes/Authorizer')),
    ).toEqual({
      ApiId: '<SocketApi/Api>',
      Name: 'ticket',
      AuthorizerType: 'REQUEST',
      AuthorizerUri:
        'arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2015-03-31/functions/<SocketRoutes/Authorize/Function.Arn>/invocations',
    });
  });

  it('is deployed after its routes, throttled, and logs no query strings, for they hold tickets', () => {
    const stage = stack.properties('AWS::ApiGatewayV2::Stage', 'SocketStage/Stage');
    expect(stack.readable(stage)).toMatchObject({
      StageName: 'v1',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 2000, ThrottlingBurstLimit: 1000 },
      AccessLogSettings: { DestinationArn: '<SocketStage/AccessLog/Log.Arn>' },
    });
    expectNoQueryIn(stage);
    const resource = stack.ofType('AWS::ApiGatewayV2::Stage')['SocketStage/Stage'];
    const before = resource?.DependsOn?.map((id) => stack.path(id));
    expect(before).toEqual(
      expect.arrayContaining(['SocketRoutes/Connect', 'SocketRoutes/Default', 'SocketStage/LogRole/Account']),
    );
  });
});

function expectNoQueryIn(stage: Readonly<Record<string, unknown>>): void {
  const { Format } = stage['AccessLogSettings'] as { Format: string }; // the test before this looked at it
  const variables = Object.values(JSON.parse(Format));
  expect(variables.length).toBeGreaterThan(5);
  for (const variable of variables)
    expect(variable).toMatch(/^\$context\.(?!.*(query|header|authorizer|requestOverride))/i);
}
