import { describe, expect, it } from 'vitest';
import { DEFAULT_PORT, HELP, parseCommandLine } from '../../local/command-line.ts';
import { StartError } from '../../local/errors.ts';

describe('the arguments of npm start', () => {
  it('are all optional', () => {
    expect(parseCommandLine([])).toEqual({
      port: DEFAULT_PORT,
      state: undefined,
      fresh: false,
      watch: true,
      context: {},
      help: false,
    });
  });

  it('are read', () => {
    const flags = ['--port', '65527', '--state', 'elsewhere', '--fresh', '--no-watch', '-h'];
    const [one, other] = ['https://app.example.com', 'http://localhost:5173'] as const;
    flags.push('--origin', one, '--origin', other, '--upload-events', 's3-notifications');
    flags.push('--processing', 'step-functions-efs', '--broadcast', 'iot-core');
    expect(parseCommandLine(flags)).toEqual({
      port: 65_527,
      state: 'elsewhere',
      fresh: true,
      watch: false,
      context: {
        origins: `${one},${other}`,
        uploadEvents: 's3-notifications',
        processing: 'step-functions-efs',
        broadcast: 'iot-core',
      },
      help: true,
    });
  });

  it.each([
    [['--prot', '9000'], /^Unknown option '--prot'/],
    [['8500'], /^Unexpected argument '8500'/],
    [['--port'], /^Option '--port <value>' argument missing/],
    [['--port', 'eighty'], /^--port must be a number from 1 to 65527, not eighty\.$/m],
    [['--port', '65529'], /^--port must be a number from 1 to 65527, not 65529\.$/m],
    [['--upload-events'], /^Option '--upload-events <value>' argument missing/],
    [['--upload-events', 's3'], /^--upload-events must be eventbridge or s3-notifications, not s3\.$/m],
    [
      ['--processing', 'efs'],
      /^--processing must be lambda or step-functions or step-functions-efs, not efs\.$/m,
    ],
    [['--broadcast', 'mqtt'], /^--broadcast must be none or iot-core, not mqtt\.$/m],
    [['--port='], /^--port must be a number from 1 to 65527, not \.$/m],
  ])('are refused with a sentence and the help: %j', (flags, sentence) => {
    const parsing = () => parseCommandLine(flags);
    expect(parsing).toThrow(StartError);
    expect(parsing).toThrow(sentence);
    expect(parsing).toThrow(HELP);
  });
});
