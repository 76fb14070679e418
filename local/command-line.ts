import { parseArgs } from 'node:util';
import { StartError } from './errors.ts';

/** What `npm start -- …` understands. */
export interface StartOptions {
  /** The first of the ports; the services that a client meets take it and the next ones. */
  readonly port: number;
  /** The folder that keeps the state; `.jobwire` in the project unless told. */
  readonly state: string | undefined;
  /** Whether to begin with an empty state. */
  readonly fresh: boolean;
  /** Whether sources are watched and functions rebuilt. */
  readonly watch: boolean;
  /**
   * Settings of the app by name (`infrastructure/settings.ts`), those that were said. Values are checked here, so
   * that a wrong one is refused at once; which of them go together is for the app to say.
   */
  readonly context: Readonly<Record<string, string>>;
  readonly help: boolean;
}

/** The first port unless told: page, API, socket, storage, queues, database, secrets, workflows, broker. */
export const DEFAULT_PORT = 8400;

/** How many ports follow one another; see `DEFAULT_PORT`. */
export const PORT_COUNT = 9;

/** The flags that take one of a few words, with those words; the app has settings of the same values. */
const CHOICES = {
  'upload-events': ['eventbridge', 's3-notifications'],
  processing: ['lambda', 'step-functions', 'step-functions-efs'],
  broadcast: ['none', 'iot-core'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const LAST_PORT = 65_535 - PORT_COUNT + 1;

/** The answer to `--help`. */
export const HELP = `Runs the template that would be deployed, on this machine.

Usage: npm start -- [options]

  --port <number>  first of ${PORT_COUNT} ports in a row (default ${DEFAULT_PORT}): page, API, socket, storage,
                   queues, database, secrets, workflows, broker
  --state <folder> where jobs, files and queues are kept (default .jobwire)
  --fresh          begin anew: delete jobs, files and queues of earlier runs
  --origin <url>   let pages of this origin call the API, too, such as http://localhost:5173; may be said
                   again; as the setting "origins" of a deployment does
  --upload-events <eventbridge|s3-notifications>
                   who tells that an upload has arrived, EventBridge or the bucket itself (default
                   eventbridge); as the setting "uploadEvents" of a deployment does
  --processing <lambda|step-functions|step-functions-efs>
                   who does the work: one function, a workflow whose steps fetch the file, or one whose
                   steps share it (default lambda); the setting "processing"
  --broadcast <none|iot-core>
                   whether states are published by MQTT, too (default none); the setting "broadcast"
  --no-watch       do not rebuild functions when a source file changes
  --help           print this

The state survives a restart. .jobwire/endpoints.json says where everything is, once it is ready. Stop with
Ctrl-C.`;

/**
 * Reads the arguments of `npm start`.
 * @throws StartError for an unknown flag, a port that is none, and a word that is none of a flag's.
 */
export function parseCommandLine(arguments_: readonly string[]): StartOptions {
  const { values } = parse(arguments_);
  const port = values.port === undefined ? DEFAULT_PORT : Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > LAST_PORT) {
    throw refused(`--port must be a number from 1 to ${LAST_PORT}, not ${values.port}.`);
  }
  for (const [flag, words] of Object.entries(CHOICES)) {
    const said = values[flag as keyof typeof CHOICES]; // a key of that very object
    if (said !== undefined && !words.some((word) => word === said)) {
      throw refused(`--${flag} must be ${words.join(' or ')}, not ${said}.`);
    }
  }
  return {
    port,
    state: values.state,
    fresh: values.fresh ?? false,
    watch: !(values['no-watch'] ?? false),
    context: readContext(values),
    help: values.help ?? false,
  };
}

/** The flags that are settings of the app, in its own names. */
function readContext(values: ReturnType<typeof parse>['values']): StartOptions['context'] {
  const settings = {
    origins: values.origin?.join(','),
    uploadEvents: values['upload-events'],
    processing: values.processing,
    broadcast: values.broadcast,
  };
  // Nothing is said of a setting that was not: cdk.json may say it.
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function parse(arguments_: readonly string[]) {
  try {
    return parseArgs({
      args: [...arguments_],
      options: {
        port: { type: 'string' },
        state: { type: 'string' },
        fresh: { type: 'boolean' },
        origin: { type: 'string', multiple: true },
        'upload-events': { type: 'string' },
        processing: { type: 'string' },
        broadcast: { type: 'string' },
        'no-watch': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    // parseArgs says what is wrong in one sentence.
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw refused(detail, { cause });
  }
}

function refused(detail: string, options?: ErrorOptions): StartError {
  return new StartError(`${detail}\n\n${HELP}`, options);
}
