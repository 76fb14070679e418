import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../local/clock.ts';
import { type ManagementCall, managementAuthorizer } from '../../../local/permissions/management.ts';
import { callingAs, functionAllowed, functionWith, knowing } from '../services/caller.ts';

const API = 'arn:aws:execute-api:us-east-1:000000000000:abcdef1234/live';
const publish = functionAllowed('publish', ['execute-api:ManageConnections'], [`${API}/POST/@connections/*`]);
const other = functionWith('other', []);
const authorize = managementAuthorizer(knowing(publish, other), systemClock);

/** Answers as the gateway does, and asks as it does. */
const server = createServer((request, response) => {
  const { method = '', url = '', headers } = request;
  const connectionId = decodeURIComponent(url.split('/').at(-1) ?? '');
  const call: ManagementCall = {
    method,
    url,
    headers,
    action: 'execute-api:ManageConnections',
    resource: `${API}/${method}/@connections/${connectionId}`,
  };
  const verdict = authorize(call);
  if (verdict === 'allowed') response.writeHead(200).end();
  else {
    response.writeHead(403, { 'x-amzn-ErrorType': 'ForbiddenException' });
    response.end(JSON.stringify({ message: verdict.refused }));
  }
});
let endpoint: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on TCP, so its address is no text.
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/live`;
});
afterAll(() => server.close());

const clientOf = (principal: typeof publish) =>
  new ApiGatewayManagementApiClient(callingAs(principal, endpoint));
const post = new PostToConnectionCommand({ ConnectionId: 'R1kmxc2VNjMCFIA=', Data: 'hello' });

it('lets a function post that may, whose connection id has a "=" in the path', async () => {
  expect((await clientOf(publish).send(post)).$metadata.httpStatusCode).toBe(200);
});

it('refuses other functions and other methods, naming the connection', async () => {
  await expect(clientOf(other).send(post)).rejects.toMatchObject({
    name: 'ForbiddenException',
    message: expect.stringContaining(
      `assumed-role/other is not authorized to perform: execute-api:ManageConnections on resource: ${API}/POST/@connections/R1kmxc2VNjMCFIA=`,
    ),
  });
  await expect(
    clientOf(publish).send(new DeleteConnectionCommand({ ConnectionId: 'R1kmxc2VNjMCFIA=' })),
  ).rejects.toThrow(/DELETE\/@connections/);
});

it('refuses wrong secrets, unknown keys and requests without a signature', async () => {
  await expect(clientOf({ ...publish, secretAccessKey: 'wrong' }).send(post)).rejects.toThrow(
    /signature we calculated does not match/,
  );
  await expect(clientOf({ ...publish, accessKeyId: 'AKIAUNKNOWN' }).send(post)).rejects.toThrow(
    /security token included in the request is invalid/,
  );
  const unsigned = await fetch(`${endpoint}/@connections/x`, { method: 'POST', body: 'x' });
  expect(await unsigned.json()).toEqual({ message: 'Missing Authentication Token' });
});
