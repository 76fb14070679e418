import { MemoryConnections } from '../../../handlers/memory/memory-connections.ts';
import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import { MemorySubscriptions } from '../../../handlers/memory/memory-subscriptions.ts';
import type {
  ConfirmedHead,
  JobRecord,
  NewJob,
  SubscriptionTopic,
  TicketScope,
  Watcher,
} from '../../../handlers/ports.ts';
import type { Delivery } from '../../../handlers/queue-messages.ts';
import type {
  ConnectEvent,
  SocketAnswer,
  SocketDependencies,
} from '../../../handlers/socket/dependencies.ts';
import { createSocket } from '../../../handlers/socket/socket.ts';
import { parseServerFrame, type ServerFrame } from '../../../protocol/frames.ts';

/** A connection as API Gateway names it. */
export const CONNECTION = 'R1kmxc2VNjMCFIA=';

/** The ticket of somebody with all of her jobs. */
export const ANN: TicketScope = { kind: 'owner', subject: 'ann' };

/** The id of a job by its number. */
export function jobId(number: number): string {
  return `job_${String(number).padStart(26, '0')}`;
}

/** The ticket of one job of Ann's. */
export function ticketFor(number: number): TicketScope {
  return { kind: 'job', subject: 'ann', job: jobId(number) };
}

const EPOCH = '01JCXW3V6Q8Y2T5R9K4M7N0PZB';

/** The socket function on memory, with a clock that moves when it is told to. */
export class SocketSetting {
  readonly jobs: MemoryJobs;
  readonly subscriptions = new MemorySubscriptions();
  readonly connections = new MemoryConnections();
  readonly deliveries = new MemoryQueue<Delivery>();
  readonly logged: { level: string; message: string }[] = [];
  readonly socket: ReturnType<typeof createSocket>;
  #now = Date.UTC(2026, 10, 23, 12, 0, 0);

  constructor(
    overrides: (own: SocketSetting) => Partial<SocketDependencies> = () => ({}),
    onCommit: (record: JobRecord) => void = () => {},
  ) {
    this.jobs = new MemoryJobs({ onCommit });
    const write = (level: string) => (message: string) => void this.logged.push({ level, message });
    this.socket = createSocket({
      jobs: this.jobs,
      subscriptions: this.subscriptions,
      connections: this.connections,
      deliveries: this.deliveries,
      now: () => new Date(this.#now),
      log: { info: write('info'), warn: write('warn'), error: write('error') },
      ...overrides(this),
    });
    this.connections.open(CONNECTION);
  }

  /** The setting's time, in RFC 3339. */
  get at(): string {
    return new Date(this.#now).toISOString();
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Makes a job of Ann's, or of another owner. */
  createJob(number: number, overrides: Partial<NewJob> = {}): Promise<JobRecord> {
    return this.jobs.create({
      id: jobId(number),
      epoch: EPOCH,
      kind: 'csv-profile',
      owner: 'ann',
      tags: [],
      input: { fileName: 'a.csv', contentType: 'text/csv', size: 12 },
      upload: 'put',
      fingerprint: 'f',
      at: this.at,
      uploadUntil: new Date(this.#now + 3_600_000).toISOString(),
      expiresAt: new Date(this.#now + 7 * 24 * 3_600_000).toISOString(),
      ...overrides,
    });
  }

  /** One more committed state of a job that waits for its upload. */
  touch(number: number): Promise<JobRecord> {
    return this.jobs.change(jobId(number), {
      at: this.at,
      within: ['awaiting-upload'],
      set: { message: 'm' },
    });
  }

  /** Sends a frame, as text or to be serialized, and reads the frame that answers it. */
  async send(frame: unknown, scope: TicketScope = ANN): Promise<ServerFrame> {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    const answer = await this.socket({ kind: 'frame', connection: CONNECTION, scope, text });
    if (answer.statusCode !== 200) throw new Error(`A frame was answered with ${answer.statusCode}`);
    return parseServerFrame(answer.body ?? '');
  }

  /** Opens a connection. */
  connect(event: Partial<ConnectEvent> = {}): Promise<SocketAnswer> {
    return this.socket({
      kind: 'connect',
      connection: CONNECTION,
      scope: ANN,
      query: {},
      protocols: [],
      ...event,
    });
  }

  /** Who watches a topic. */
  async watchersOf(topic: SubscriptionTopic): Promise<readonly Watcher[]> {
    const wanted = { range: {}, limit: 1_000, now: this.at };
    return (await this.subscriptions.watchers(topic, wanted)).watchers;
  }

  /** What the connection has confirmed of a job. */
  async confirmed(number: number): Promise<ConfirmedHead | undefined> {
    return (await this.subscriptions.confirmedHeads(jobId(number), [CONNECTION])).get(CONNECTION);
  }

  /** The frames that were posted to the connection. */
  posted(): readonly ServerFrame[] {
    return this.connections.framesOf(CONNECTION).map(parseServerFrame);
  }
}
