/** What a process uses, in bytes, after everything that can be collected has been. */
export interface MemoryUse {
  /** Of the whole process, as the system counts. */
  readonly resident: number;
  /** What JavaScript holds: V8's heap, and buffers outside it. */
  readonly held: number;
}

/** Collects all garbage and looks; the process must have been started with `--expose-gc`. */
export async function measureMemory(): Promise<MemoryUse> {
  const { gc } = globalThis;
  if (gc === undefined) throw new TypeError('Start this process with --expose-gc');
  for (let pass = 0; pass < 3; pass += 1) {
    // Gives back what V8 would keep for later, which says nothing of what a connection needs.
    await gc({ execution: 'async', type: 'major', flavor: 'last-resort' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, held: heapUsed + external };
}
