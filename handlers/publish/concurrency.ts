/**
 * What runs at a time. Fifty posts that are answered in ten milliseconds each are 5,000 a second, about what the
 * processor of a function of a gigabyte can sign and send; a hundred were no faster (`npm run bench -- publish`, two
 * cores), and every one more is a socket that API Gateway has to open.
 */
export const CONCURRENCY = 50;

/**
 * The largest audience that `publish` posts to itself, and what one message of the broadcasts queue is worth, in
 * rows. Below it there is nothing to win by handing over: a thousand watchers are told in 56 ms from here, and the
 * way through the queue to the first post of another function takes some 50 ms by itself (`npm run bench -- publish`,
 * two cores). Above, one job would use up in a moment what the account has for a second, and delay the others of its
 * batch. At the pace of an execution environment (post-pace.ts) it is the work of a second.
 */
export const PORTION = 1_000;
