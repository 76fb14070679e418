import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Ticket } from '../../protocol/http.ts';
import { PROJECT } from './running-jobwire.ts';

/** The command line of the `mqtt` package: a client that nobody here wrote. */
const COMMAND = path.join(PROJECT, 'node_modules', 'mqtt', 'build', 'bin', 'mqtt.js');

/** `mqtt subscribe`, while it runs. */
export class MqttSubscription {
  /** What it has printed: a message a line, each as it is. */
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #printed = new EventEmitter();
  #complaint = '';

  /** Subscribes where a ticket says, with that ticket; or to another topic, or with another password. */
  constructor(
    { broadcast, ticket }: Pick<Ticket, 'broadcast' | 'ticket'>,
    other: { readonly topic?: string; readonly password?: string } = {},
  ) {
    if (broadcast === undefined) throw new Error('the ticket says of no broadcast');
    const { protocol, hostname, port, pathname } = new URL(broadcast.url);
    const where = ['-C', protocol.slice(0, -1), '-h', hostname, '-p', port, '--path', pathname];
    const id = broadcast.clientIdPrefix + randomUUID();
    const who = ['-i', id, '-u', broadcast.username, '-P', other.password ?? ticket];
    const what = ['-t', other.topic ?? broadcast.topic, '-q', '1'];
    this.#process = spawn(process.execPath, [COMMAND, 'subscribe', ...where, ...who, ...what]);
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('the outputs are pipes');
    createInterface(stdout).on('line', (line) => {
      this.lines.push(line);
      this.#printed.emit('line');
    });
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text;
    });
  }

  /** Waits for a line of which this is true. */
  async until(isIt: (line: string) => boolean): Promise<void> {
    while (!this.lines.some(isIt)) await once(this.#printed, 'line');
  }

  /** Waits for its end; answers what it complained of. */
  async complaint(): Promise<string> {
    await once(this.#process, 'close');
    return this.#complaint;
  }

  /** Ends it. */
  stop(): void {
    this.#process.kill();
  }
}
