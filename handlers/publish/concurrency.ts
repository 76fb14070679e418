/**
 * What runs at a time, below the 128 sockets that the poster may open. The rate is this number divided by the time of
 * an answer: against a server that answers after 10 ms, 25 post 2,300 a second, 50 post 4,400, 100 post 8,000 and 128
 * post 10,400, the processor idle for more than half of the time; against one that answers at once, all four 42,000.
 * So more would be faster, and must not be: an account has 10,000 requests a second for all its APIs (aws-facts 1.8),
 * and what `publish` posts itself is held back by nothing else. At fifty, one execution leaves half of that to others.
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
