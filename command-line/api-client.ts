import { createJobwireClient, type JobwireClient } from '../client/client.ts';
import { type ApiOptions, findApi } from './find-api.ts';
import { UploadRequest } from './upload-request.ts';

/**
 * The client for what the command line names. `JOBWIRE_TOKEN` is sent to the API as a bearer token, for an
 * installation whose authorizer asks for one; the token of a single job goes before it.
 * @throws CommandError when there is no API.
 */
export async function openClient(options: ApiOptions): Promise<JobwireClient> {
  const api = await findApi(options, process.env, process.cwd());
  const token = process.env['JOBWIRE_TOKEN'];
  return createJobwireClient({
    api,
    XMLHttpRequest: UploadRequest,
    ...(token === undefined || token === '' ? {} : { fetch: withToken(api, token) }),
  });
}

/** Whether a URL is one of the API: of its origin, and at or below its path. */
export function belongsTo(api: string, url: string): boolean {
  const [base, asked] = [new URL(api), new URL(url)];
  const folder = base.pathname.replace(/\/*$/, '/');
  return asked.origin === base.origin && `${asked.pathname}/`.startsWith(folder);
}

function withToken(api: string, token: string) {
  return (url: string, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers);
    // Storage has its own signature and must never see the token.
    if (belongsTo(api, url) && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
    return fetch(url, { ...init, headers });
  };
}
