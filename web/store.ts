import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { JobwireClient } from '../client/client.ts';
import { ProblemError } from '../client/errors.ts';
import type { JobWatch } from '../client/job-watch.ts';
import type { ConnectionState } from '../client/state.ts';
import type { TopicWatch } from '../client/topic-watch.ts';
import { isNewer, type Job } from '../protocol/job.ts';
import type { Kind } from '../protocol/kinds.ts';
import { isTerminal } from '../protocol/status.ts';
import { animationFrames } from './animation-frames.ts';
import { refuse } from './announced-file.ts';
import { Arrivals } from './arrivals.ts';
import { Complaints } from './complaints.ts';
import { download } from './download.ts';
import { shows } from './job-filter.ts';
import { JobListing, type ListState } from './job-listing.ts';
import { JobRecords } from './job-records.ts';
import { JobTable } from './job-table.ts';
import { type LinkSource, ResultSource } from './result-source.ts';
import type { Router } from './router.ts';
import type { Traffic } from './traffic.ts';
import { Uploads } from './uploads.ts';
import { explain } from './wording.ts';

/** What the page's store is made of. */
export interface StoreParts {
  readonly client: JobwireClient;
  readonly router: Router;
  readonly traffic: Traffic;
}

/** The shortest time between two drawings of a log, in milliseconds. */
const NOTES_MS = 150;

/**
 * What the page knows and can do. All states of jobs come over the socket; the page never asks for
 * `GET /jobs/{id}` of itself.
 */
export class Store {
  readonly client: JobwireClient;
  readonly router: Router;
  readonly traffic: Traffic;
  readonly uploads: Uploads;
  readonly results: ResultSource;
  readonly complaints = new Complaints();
  readonly records = new JobRecords();
  readonly jobs = new JobTable((id) => {
    this.records.forget(id);
    this.results.forget(id);
    this.uploads.forget(id);
  });
  readonly #resultLink: LinkSource;
  readonly #waiting = new Map<string, Job>();
  readonly #arrivals = new Arrivals(animationFrames, () => this.#flush());
  readonly #connection = signal<ConnectionState>({ status: 'connecting' });
  readonly #listing: JobListing;
  readonly #refusal = signal<unknown>(undefined);
  readonly #now = signal(Date.now());
  readonly #today = computed(() => new Date(this.#now.value).setHours(0, 0, 0, 0));
  readonly #cancelling = signal<ReadonlySet<string>>(new Set());
  #topic: TopicWatch | undefined;
  #notesAt = Number.NEGATIVE_INFINITY;
  #adding = false;

  constructor({ client, router, traffic }: StoreParts) {
    this.client = client;
    this.router = router;
    this.traffic = traffic;
    this.uploads = new Uploads(client);
    this.#resultLink = async (job) => (await client.resultLink(job, { token: this.uploads.token(job) })).url;
    this.results = new ResultSource(this.#resultLink);
    this.#listing = new JobListing({
      list: (options) => client.list(options),
      learn: (jobs) => this.#listed(jobs),
    });
  }

  /** How fresh the page is. */
  get connection(): ReadonlySignal<ConnectionState> {
    return this.#connection;
  }

  /** Whether the list has come. */
  get list(): ReadonlySignal<ListState> {
    return this.#listing.state;
  }

  /** Why the job of the address cannot be watched, if it cannot. */
  get refusal(): ReadonlySignal<unknown> {
    return this.#refusal;
  }

  /** The time of this device, once a second. */
  get now(): ReadonlySignal<number> {
    return this.#now;
  }

  /** When today began: for what shows times of the day and need not be drawn anew each second. */
  get today(): ReadonlySignal<number> {
    return this.#today;
  }

  /** The jobs whose cancellation has been asked for and not been answered. */
  get cancelling(): ReadonlySignal<ReadonlySet<string>> {
    return this.#cancelling;
  }

  /** The ids that the filter shows, newest first. */
  readonly shown: ReadonlySignal<readonly string[]> = computed(() => {
    const filter = this.router.filter.value;
    return this.jobs.order.value.filter((id) => {
      const job = this.jobs.job(id).value;
      return job !== undefined && shows(filter, job);
    });
  });

  /** Begins to watch: the caller's jobs, and the job of the address whenever it changes. */
  start(): void {
    setInterval(() => {
      this.#now.value = Date.now();
    }, 1000);
    const topic = this.client.watchTopic('owner:me');
    topic.on((event) => {
      if (event.type === 'job') this.#arrived(event.job);
      else if (event.type === 'connection') this.#connectionChanged(event.connection);
      else console.warn('jobwire:', event.error);
    });
    this.#topic = topic;
    effect(() => {
      const route = this.router.route.value;
      this.#refusal.value = undefined;
      this.jobs.pin(route.name === 'job' ? route.id : undefined);
      if (route.name !== 'job') return;
      const watch = this.#watch(route.id);
      return () => watch?.close();
    });
  }

  /** Lists the page of older jobs, if there are any. */
  async showOlder(): Promise<void> {
    try {
      await this.#listing.older();
    } catch (error) {
      this.complaints.add('Older jobs could not be listed', explain(error));
    }
  }

  /** Makes a job of each file. The page of one that comes alone is opened; of several the list shows them all. */
  async submitAll(files: readonly File[], kind: Kind, tags: readonly string[]): Promise<void> {
    for (const file of files) {
      const job = await this.#submit(file, kind, tags);
      if (job !== undefined && files.length === 1) this.router.openJob(job.id);
    }
  }

  /**
   * Makes a new job of a file that was sent before, and opens its page. The old job, where it still waits, is
   * cancelled: nobody sends its file any more. An upload in parts goes on with the job that it has.
   */
  async submitAgain(old: Job, file: File, kind: Kind): Promise<void> {
    const job = await this.#submit(file, kind, old.tags);
    if (job === undefined) return;
    this.router.openJob(job.id);
    if (job.id !== old.id && !isTerminal(old.status)) await this.cancel(old.id);
  }

  /** Makes a job of the file and sends it. What goes wrong becomes a complaint, and the answer is undefined. */
  async #submit(file: File, kind: Kind, tags: readonly string[]): Promise<Job | undefined> {
    const title = `“${file.name}” was not uploaded`;
    const refusal = refuse(file);
    if (refusal !== undefined) {
      this.complaints.add(title, refusal);
      return undefined;
    }
    try {
      const job = await this.uploads.start(file, kind, tags);
      this.#learn(job);
      return job;
    } catch (error) {
      this.complaints.add(title, explain(error));
      return undefined;
    }
  }

  /** Asks for the end of a job, and stops its upload. */
  async cancel(id: string): Promise<void> {
    if (this.#cancelling.peek().has(id)) return;
    this.#cancelling.value = new Set([...this.#cancelling.peek(), id]);
    this.uploads.stop(id);
    const token = this.uploads.token(id);
    try {
      this.#learn(await this.client.cancel(id, token === undefined ? {} : { token }));
    } catch (error) {
      if (error instanceof ProblemError && error.problem.job !== undefined) this.#learn(error.problem.job);
      this.complaints.add('The job was not cancelled', explain(error));
    } finally {
      this.#cancelling.value = new Set([...this.#cancelling.peek()].filter((each) => each !== id));
    }
  }

  /** Where the result of a job is, for a link. */
  resultUrl(id: string): string {
    return this.client.resultUrl(id);
  }

  /**
   * Downloads the result of a job: the storage serves it as an attachment, so the page stays. Goes by a link that
   * is asked for here, because only a request of the page's own can carry the job's token.
   */
  async download(id: string): Promise<void> {
    const title = 'The result could not be downloaded';
    try {
      download(await this.#resultLink(id), () =>
        this.complaints.add(title, 'The storage refused it. Try again.'),
      );
    } catch (error) {
      this.complaints.add(title, explain(error));
    }
  }

  /** A state that came over the socket. */
  #arrived(job: Job): void {
    if (!this.#adding) this.traffic.arrived(job, Date.now());
    this.#wait(job);
  }

  /** A state that came as an answer: shown at once, since somebody waits for it. */
  #learn(job: Job): void {
    this.#wait(job);
    this.#flush();
  }

  #wait(job: Job): void {
    this.records.take(job, Date.now());
    if (isNewer(job, this.#waiting.get(job.id))) this.#waiting.set(job.id, job);
    this.#arrivals.note();
  }

  #flush(): void {
    batch(() => {
      for (const job of this.#waiting.values()) this.jobs.put(job);
      this.#waiting.clear();
      this.traffic.publish();
      this.#publishNotes(performance.now());
    });
  }

  /** A log that is drawn anew with every frame is no easier to read, and in a burst it is most of the work. */
  #publishNotes(now: number): void {
    if (now - this.#notesAt < NOTES_MS) {
      this.#arrivals.note(); // comes back with the next frame, until it is time
      return;
    }
    this.#notesAt = now;
    this.records.publish();
  }

  #watch(id: string): JobWatch | undefined {
    const known = this.jobs.job(id).peek();
    if (known !== undefined && isTerminal(known.status)) return undefined;
    const watch = this.client.watchJob(id);
    watch.on((event) => {
      if (event.type === 'job') this.#wait(event.job);
      else if (event.type === 'connection' && event.connection.status === 'closed') {
        this.#refusal.value = event.connection.error;
      }
    });
    return watch;
  }

  #connectionChanged(state: ConnectionState): void {
    this.traffic.changed(state, Date.now());
    this.traffic.publish();
    this.#connection.value = state;
    this.#listing.follow(state);
  }

  /** The jobs of a page of the list: no arrivals, which the traffic would count. */
  #listed(jobs: readonly Job[]): void {
    this.#adding = true;
    this.#topic?.add(jobs);
    this.#adding = false;
    this.#flush();
  }
}
