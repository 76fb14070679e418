/** Fields that Powertools adds to every line, and that a reader of the terminal knows already. */
const ROUTINE_FIELDS = new Set([
  'level',
  'message',
  'timestamp',
  'service',
  'sampling_rate',
  'xray_trace_id',
  'cold_start',
  'function_arn',
  'function_memory_size',
  'function_name',
  'function_request_id',
]);

/**
 * Makes one line of a function's output readable. Lines of Powertools (JSON with `level` and `message`)
 * become `INFO message {"other":"fields"}`, embedded metrics become `METRIC name=value`; the rest stays.
 */
export function readableOutput(line: string): string {
  const fields = parseObject(line);
  if (fields === undefined) return line;
  if (fields['_aws'] !== undefined) {
    const metrics = Object.entries(fields).filter(([, value]) => typeof value === 'number');
    return `METRIC ${metrics.map(([name, value]) => `${name}=${value}`).join(' ')}`;
  }
  const { level, message } = fields;
  if (typeof level !== 'string' || typeof message !== 'string') return line;
  const others = Object.entries(fields).filter(([name]) => !ROUTINE_FIELDS.has(name));
  const rest = others.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(others))}`;
  return `${level} ${message}${rest}`;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    // A JSON text that starts with a brace is an object.
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // Not JSON after all: an ordinary line that begins with a brace.
    return undefined;
  }
}

/** Cuts chunks of output into whole lines. */
export class LineSplitter {
  #rest = '';
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split(/\r?\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.#onLine(line);
  }

  /** Gives away what has no line end. */
  flush(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}
