import { type ReadonlySignal, signal } from '@preact/signals';

/** Something that went wrong and that the reader should know. */
export interface Complaint {
  readonly title: string;
  readonly text: string;
}

/** What went wrong and has not been dismissed, oldest first. */
export class Complaints {
  readonly #list = signal<readonly Complaint[]>([]);

  /** All of them. */
  get list(): ReadonlySignal<readonly Complaint[]> {
    return this.#list;
  }

  /** Shows another. */
  add(title: string, text: string): void {
    this.#list.value = [...this.#list.peek(), { title, text }];
  }

  /** Forgets one that has been read. */
  dismiss(complaint: Complaint): void {
    this.#list.value = this.#list.peek().filter((each) => each !== complaint);
  }
}
