#!/usr/bin/env node

/** The first version of Node that has a WebSocket of its own and every function that the command calls. */
const OLDEST_NODE = 22;

const [major] = process.versions.node.split('.');
if (Number(major) < OLDEST_NODE) {
  console.error(`jobwire needs Node ${OLDEST_NODE} or later; this is Node ${process.versions.node}.`);
  process.exitCode = 64;
} else {
  // Not imported above: an older Node would fail on an import before it could say why.
  const { run } = await import('./run.ts');
  process.exitCode = await run(process.argv.slice(2));
}
