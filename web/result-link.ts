import * as v from 'valibot';
import { ProblemError, UnexpectedAnswerError, UnreachableError } from '../client/errors.ts';
import { ProblemSchema } from '../protocol/http.ts';
import { RESULT_LINK_TYPE, ResultLinkSchema } from '../protocol/result-link.ts';

/**
 * Asks the API where the result of a job can be downloaded.
 * @param url the result's address at the API
 * @param token the job's, where this page has it
 * @throws ProblemError, UnreachableError, UnexpectedAnswerError as the client's calls do
 */
export async function askForResultLink(url: string, token: string | undefined): Promise<string> {
  const headers = {
    accept: RESULT_LINK_TYPE,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  let answer: unknown;
  try {
    const response = await fetch(url, { headers });
    answer = await response.json();
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new UnexpectedAnswerError('the answer is not JSON', { cause });
    throw new UnreachableError(`no answer from ${url}`, { cause });
  }
  const link = v.safeParse(ResultLinkSchema, answer);
  if (link.success) return link.output.url;
  const problem = v.safeParse(ProblemSchema, answer);
  if (problem.success) throw new ProblemError(problem.output);
  throw new UnexpectedAnswerError('the answer is neither a link nor a problem');
}
