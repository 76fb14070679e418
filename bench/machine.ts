import os from 'node:os';

/** The line above every figure: without it, a speed says nothing. */
export function machine(): string {
  const [processor] = os.cpus();
  const memory = Math.round(os.totalmem() / 1024 ** 3);
  return `${processor?.model.trim() ?? 'unknown processor'}, ${os.availableParallelism()} cores, ${memory} GiB, ${os.platform()} ${os.release()}, Node ${process.versions.node}, load ${os
    .loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`;
}
