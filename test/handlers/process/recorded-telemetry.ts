import type { Log, Meter } from '../../../handlers/ports.ts';

/** A log and a meter that remember what they were told. */
export class RecordedTelemetry {
  readonly lines: {
    readonly level: 'info' | 'warn' | 'error';
    readonly message: string;
    readonly fields: unknown;
  }[] = [];
  readonly figures: { readonly name: string; readonly value: number }[] = [];

  readonly log: Log = {
    info: (message, fields) => void this.lines.push({ level: 'info', message, fields }),
    warn: (message, fields) => void this.lines.push({ level: 'warn', message, fields }),
    error: (message, fields) => void this.lines.push({ level: 'error', message, fields }),
  };

  readonly meter: Meter = {
    count: (name, value) => void this.figures.push({ name, value }),
    milliseconds: (name, value) => void this.figures.push({ name, value }),
  };

  /** The messages of one level. */
  messages(level: 'info' | 'warn' | 'error'): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  /** The sum of a figure. */
  sum(name: string): number {
    return this.figures.filter((figure) => figure.name === name).reduce((sum, { value }) => sum + value, 0);
  }
}
