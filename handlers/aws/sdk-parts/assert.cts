/**
 * What bundles hold in place of `node:assert` (infrastructure/bundles.ts). undici, the only one that imports it, calls
 * it as a function and no more; Node's loads seven more modules, which draw differences between objects.
 * CommonJS, because undici requires a function.
 */

/** Throws what Node's would (its class aside): an error with the code ERR_ASSERTION, or the one that is handed over. */
function assert(value: unknown, message?: string | Error): asserts value {
  if (value) return;
  if (message instanceof Error) throw message;
  throw Object.assign(new Error(message ?? 'The expression evaluated to a falsy value'), {
    name: 'AssertionError',
    code: 'ERR_ASSERTION',
  });
}

module.exports = assert;
