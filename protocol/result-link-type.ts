/**
 * What a client says in `Accept` of `GET /jobs/{id}/result` to get the link in an answer of 200 instead of a
 * redirect. A script in a browser needs that: after a redirect to another origin the browser says `Origin: null`
 * (Fetch standard, "HTTP-redirect fetch"), which the CORS rules of the bucket do not allow, and it hides
 * `Location` from whoever does not follow. A type of its own, because whoever asks for `application/json` and
 * follows the redirect means the result itself.
 */
export const RESULT_LINK_TYPE = 'application/vnd.jobwire.link+json';
