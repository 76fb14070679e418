import { createServer } from 'node:net';
import { PORT_COUNT } from '../../local/command-line.ts';

/**
 * The first of as many free ports in a row as the runtime takes. Ports below the range that systems give to
 * clients, so that no connection of another test takes one in between.
 */
export async function freePorts(): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 20_000);
    const ports = Array.from({ length: PORT_COUNT }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
