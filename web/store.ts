import { effect, type ReadonlySignal, signal } from '@preact/signals';
import type { JobwireClient } from '../client/client.ts';
import { ProblemError } from '../client/errors.ts';
import type { JobWatch } from '../client/job-watch.ts';
import type { ConnectionState } from '../client/state.ts';
import type { TopicWatch } from '../client/topic-watch.ts';
import type { Kind } from '../protocol/kinds.ts';
import { isTerminal } from '../protocol/status.ts';
import { announce, refuse } from './announced-file.ts';
import { JobTable } from './job-table.ts';
import type { Router } from './router.ts';
import { Uploads } from './uploads.ts';
import { explain } from './wording.ts';

/** Something that went wrong and that the reader should know. */
export interface Complaint {
  readonly title: string;
  readonly text: string;
}

/** Whether the list of jobs has come. */
export type ListState =
  | { readonly status: 'loading' }
  | { readonly status: 'ready' }
  | { readonly status: 'failed'; readonly error: unknown };

/**
 * What the page knows and can do. All states of jobs come over the socket; the page never asks for
 * `GET /jobs/{id}`. `GET /jobs` is asked once for each connection, since the topic `owner:me` tells of changes only:
 * what came up while the connection was lost would be missed otherwise.
 */
export class Store {
  readonly router: Router;
  readonly jobs = new JobTable();
  readonly uploads: Uploads;
  readonly #client: JobwireClient;
  readonly #connection = signal<ConnectionState>({ status: 'connecting' });
  readonly #list = signal<ListState>({ status: 'loading' });
  readonly #complaints = signal<readonly Complaint[]>([]);
  readonly #refusal = signal<unknown>(undefined);
  readonly #now = signal(Date.now());
  readonly #cancelling = signal<ReadonlySet<string>>(new Set());
  #listDue = true;

  constructor(client: JobwireClient, router: Router) {
    this.#client = client;
    this.router = router;
    this.uploads = new Uploads(client);
  }

  /** How fresh the page is. */
  get connection(): ReadonlySignal<ConnectionState> {
    return this.#connection;
  }

  /** Whether the list has come. */
  get list(): ReadonlySignal<ListState> {
    return this.#list;
  }

  /** What went wrong and has not been dismissed. */
  get complaints(): ReadonlySignal<readonly Complaint[]> {
    return this.#complaints;
  }

  /** Why the job of the address cannot be watched, if it cannot. */
  get refusal(): ReadonlySignal<unknown> {
    return this.#refusal;
  }

  /** The time, once a second. */
  get now(): ReadonlySignal<number> {
    return this.#now;
  }

  /** The jobs whose cancellation has been asked for and not been answered. */
  get cancelling(): ReadonlySignal<ReadonlySet<string>> {
    return this.#cancelling;
  }

  /** Begins to watch: the caller's jobs, and the job of the address whenever it changes. */
  start(): void {
    setInterval(() => {
      this.#now.value = Date.now();
    }, 1000);
    const topic = this.#client.watchTopic('owner:me');
    topic.on((event) => {
      if (event.type === 'job') this.jobs.put(event.job);
      else if (event.type === 'connection') this.#connectionChanged(event.connection, topic);
      else console.warn('jobwire:', event.error);
    });
    effect(() => {
      const route = this.router.route.value;
      this.#refusal.value = undefined;
      this.jobs.pinned = route.name === 'job' ? route.id : undefined;
      if (route.name !== 'job') return;
      const watch = this.#watch(route.id);
      return () => watch?.close();
    });
  }

  /** Makes a job of the file, opens its page and sends the file. What goes wrong becomes a complaint. */
  async submit(file: File, kind: Kind): Promise<void> {
    const title = `“${file.name}” was not uploaded`;
    const refusal = refuse(file);
    if (refusal !== undefined) {
      this.#complain({ title, text: refusal });
      return;
    }
    try {
      const created = await this.#client.createJob(
        { kind, ...announce(file), upload: 'put' },
        { idempotencyKey: crypto.randomUUID() },
      );
      this.uploads.start(created, file);
      this.jobs.put(created.job);
      this.router.openJob(created.job.id);
    } catch (error) {
      this.#complain({ title, text: explain(error) });
    }
  }

  /** Asks for the end of a job, and stops its upload. */
  async cancel(id: string): Promise<void> {
    if (this.#cancelling.peek().has(id)) return;
    this.#cancelling.value = new Set([...this.#cancelling.peek(), id]);
    this.uploads.stop(id);
    const token = this.uploads.token(id);
    try {
      this.jobs.put(await this.#client.cancel(id, token === undefined ? {} : { token }));
    } catch (error) {
      if (error instanceof ProblemError && error.problem.job !== undefined) this.jobs.put(error.problem.job);
      this.#complain({ title: 'The job was not cancelled', text: explain(error) });
    } finally {
      this.#cancelling.value = new Set([...this.#cancelling.peek()].filter((each) => each !== id));
    }
  }

  /** Where the result of a job is. */
  resultUrl(id: string): string {
    return this.#client.resultUrl(id);
  }

  /** Forgets a complaint that has been read. */
  dismiss(complaint: Complaint): void {
    this.#complaints.value = this.#complaints.peek().filter((each) => each !== complaint);
  }

  #complain(complaint: Complaint): void {
    this.#complaints.value = [...this.#complaints.peek(), complaint];
  }

  #watch(id: string): JobWatch | undefined {
    const known = this.jobs.job(id).peek();
    if (known !== undefined && isTerminal(known.status)) return undefined;
    const watch = this.#client.watchJob(id);
    watch.on((event) => {
      if (event.type === 'job') this.jobs.put(event.job);
      else if (event.type === 'connection' && event.connection.status === 'closed') {
        this.#refusal.value = event.connection.error;
      }
    });
    return watch;
  }

  #connectionChanged(state: ConnectionState, topic: TopicWatch): void {
    this.#connection.value = state;
    if (state.status === 'live' && this.#listDue) void this.#fetchList(topic);
    else if (state.status !== 'live' && this.#list.peek().status === 'loading') void this.#fetchList(topic);
    this.#listDue = state.status !== 'live';
  }

  async #fetchList(topic: TopicWatch): Promise<void> {
    try {
      const page = await this.#client.list();
      topic.add(page.jobs);
      this.#list.value = { status: 'ready' };
    } catch (error) {
      if (this.#list.peek().status !== 'ready') this.#list.value = { status: 'failed', error };
    }
  }
}
