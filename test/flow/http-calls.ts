import { expect } from 'vitest';
import {
  type CreatedJob,
  CreatedJobSchema,
  type CreateJobInput,
  type Problem,
  ProblemSchema,
  type Ticket,
  TicketSchema,
} from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import { type Job, JobSchema } from '../../protocol/job.ts';

/** Asks for a job; a CSV profile unless told. */
export async function createJob(
  api: string,
  body: Partial<CreateJobInput> & { size: number },
): Promise<CreatedJob> {
  const response = await post(`${api}/jobs`, {
    kind: 'csv-profile',
    fileName: 'cities.csv',
    contentType: 'text/csv',
    ...body,
  });
  expect(response.status).toBe(201);
  return parse('the created job', CreatedJobSchema, await response.json());
}

/** A POST with a JSON body. */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Sends a payload where the created job says, by PUT or POST. */
export async function upload(
  { upload: grant }: CreatedJob,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<Response> {
  if (grant?.method === 'PUT') {
    return await fetch(grant.url, { method: 'PUT', headers: grant.headers, body: content });
  }
  if (grant?.method !== 'POST') throw new Error('the job has no upload of one request');
  const form = new FormData();
  for (const [name, value] of Object.entries(grant.fields)) form.append(name, value);
  form.append('file', new Blob([content]));
  return await fetch(grant.url, { method: 'POST', body: form });
}

/** `GET /jobs/{id}`, held until the job is terminal. */
export async function terminalJob(api: string, id: string): Promise<Job> {
  let etag = '"none.0"';
  for (;;) {
    const response = await fetch(`${api}/jobs/${id}`, {
      headers: { prefer: 'wait=20', 'if-none-match': etag },
    });
    if (response.status === 304) continue;
    const job = parse('the job', JobSchema, await response.json());
    if (job.finishedAt !== undefined) return job;
    etag = response.headers.get('etag') ?? etag;
  }
}

/** A ticket of the caller's, or of a job with its token. */
export async function takeTicket(api: string, job?: CreatedJob): Promise<Ticket> {
  const response =
    job === undefined
      ? await post(`${api}/tickets`, '')
      : await post(`${api}/jobs/${job.job.id}/tickets`, '', { authorization: `Bearer ${job.token}` });
  expect(response.status).toBe(201);
  return parse('the ticket', TicketSchema, await response.json());
}

/** Reads a problem and checks that its status is the response's. */
export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const problem = parse('the problem', ProblemSchema, await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}
