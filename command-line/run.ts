import { Command, CommanderError, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import * as v from 'valibot';
import type { Via } from '../client/access.ts';
import packageJson from '../package.json' with { type: 'json' };
import { JobIdSchema } from '../protocol/job.ts';
import { openClient } from './api-client.ts';
import { cancelJob } from './cancel.ts';
import { CommandError, explain, InterruptedError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Interrupt, listenForInterrupt } from './interrupt.ts';
import { listJobs } from './jobs.ts';
import { replay } from './replay.ts';
import { submit } from './submit.ts';
import { watchJobs } from './watch.ts';

/** See docs/client.md, "Ways". */
const WAYS = ['auto', 'websocket', 'iot', 'poll'] as const satisfies readonly Via[];

const EXIT_CODES = `
Exit codes: 0 succeeded, 1 failed, 2 cancelled or expired, 3 refused, or nobody answers, or somebody else
does; of several jobs the largest. 64 for a command line or file that is not usable, 130 after Ctrl-C.`;

const FINDING = `
The API is that of --api, of --stack, of JOBWIRE_API, or of the Jobwire that runs in this folder or one above
(npm start). JOBWIRE_TOKEN is sent along as a bearer token. NO_COLOR turns colours off.`;

/**
 * Runs the command.
 * @param arguments_ those after the command's own name
 * @returns the exit code; never throws
 */
export async function run(arguments_: readonly string[]): Promise<ExitCode> {
  const interrupt = listenForInterrupt();
  const outcome: { code: ExitCode } = { code: EXIT.succeeded };
  try {
    await programOf(interrupt, (code) => {
      outcome.code = code;
    }).parseAsync(arguments_, { from: 'user' });
    return outcome.code;
  } catch (error) {
    return tell(error);
  } finally {
    interrupt.stop();
  }
}

function tell(error: unknown): ExitCode {
  // Commander has printed what it has to say: help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.succeeded : EXIT.usage;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const explained = explain(error);
  if (explained !== undefined) {
    console.error(explained.message);
    return explained.exitCode;
  }
  console.error(error);
  return EXIT.fault;
}

function programOf({ signal }: Interrupt, ended: (code: ExitCode) => void) {
  const program = new Command('jobwire')
    .description('Submits files to Jobwire and watches what becomes of them, live.')
    .version(packageJson.version)
    .exitOverride()
    .showHelpAfterError('(--help tells what there is)')
    .addHelpText('after', FINDING + EXIT_CODES);

  withApi(program.command('submit'))
    .description('Upload a file as a new job and watch it; prints the URL of the result.')
    .argument('<file>', 'of any size; it is sent piece by piece')
    .option('--kind <kind>', 'what is to be done with it', 'csv-profile')
    .addOption(
      new Option('--tag <tag>', 'a label of the job; may be said again')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--content-type <type>', 'its media type; by the name of the file unless told')
    .addOption(wayOption())
    .option('--json', 'print each state as a line of JSON', false)
    .option('--no-watch', 'print the id once the file is uploaded, and do not wait')
    .addHelpText('after', FINDING + EXIT_CODES)
    .action(async (file, { api, stack, kind, tag, contentType, via, json, watch }) => {
      const client = await openClient({ api, stack });
      ended(await submit(client, file, { kind, tags: tag, contentType, via, json, watch, signal }));
    });

  withApi(program.command('watch'))
    .description('Watch jobs until all of them are over.')
    .argument('<job...>', 'ids such as job_01JCXW3V6Q8Y2T5R9K4M7N0PZA')
    .addOption(wayOption())
    .option('--json', 'print each state as a line of JSON', false)
    .addHelpText('after', FINDING + EXIT_CODES)
    .action(async (ids, { api, stack, via, json }) => {
      ended(await watchJobs(await openClient({ api, stack }), ids.map(jobId), { via, json, signal }));
    });

  withApi(program.command('jobs'))
    .description('List the newest jobs.')
    .option('--limit <number>', 'at most so many', wholeNumber, 25)
    .option('--json', 'print each job as a line of JSON', false)
    .addHelpText('after', FINDING)
    .action(async ({ api, stack, limit, json }) => {
      await listJobs(await openClient({ api, stack }), { limit, json, signal });
    });

  withApi(program.command('cancel'))
    .description('Cancel a job.')
    .argument('<job>', 'its id')
    .addHelpText('after', FINDING)
    .action(async (id, { api, stack }) => {
      await cancelJob(await openClient({ api, stack }), jobId(id), signal);
    });

  program
    .command('replay')
    .description('Show again what --json has recorded.')
    .argument('<file>', 'what was recorded; - is standard input')
    .option('--speed <factor>', '2 is twice as fast as it was', positiveNumber, 1)
    .addHelpText('after', EXIT_CODES)
    .action(async (file, { speed }) => {
      ended(await replay(file, { speed, signal }));
    });

  return program;
}

function withApi(command: Command) {
  return command
    .option('--api <url>', 'where the API is')
    .option('--stack <name>', 'the CloudFormation stack that was deployed (AWS_REGION, AWS_PROFILE count)');
}

function wayOption() {
  return new Option('--via <way>', 'how the states come').choices(WAYS).default('auto' as const);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** An id as it was given, once it can be one: what is none would be asked for in vain, and end as a refusal. */
function jobId(text: string): string {
  if (v.is(JobIdSchema, text)) return text;
  throw new CommandError(`"${text}" is no job id such as job_01JCXW3V6Q8Y2T5R9K4M7N0PZA.`, EXIT.usage);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number > 0) return number;
  throw new InvalidArgumentError('It must be a number above 0.');
}
