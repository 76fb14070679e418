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
      origins: [],
      help: false,
    });
  });

  it('are read', () => {
    const flags = ['--port', '65529', '--state', 'elsewhere', '--fresh', '--no-watch', '-h'];
    const origins = ['https://app.example.com', 'http://localhost:5173'];
    flags.push(...origins.flatMap((origin) => ['--origin', origin]));
    expect(parseCommandLine(flags)).toEqual({
      port: 65_529,
      state: 'elsewhere',
      fresh: true,
      watch: false,
      origins,
      help: true,
    });
  });

  it.each([
    [['--prot', '9000'], /^Unknown option '--prot'/],
    [['8500'], /^Unexpected argument '8500'/],
    [['--port'], /^Option '--port <value>' argument missing/],
    [['--port', 'eighty'], /^--port must be a number from 1 to 65529, not eighty\.$/m],
    [['--port', '65530'], /^--port must be a number from 1 to 65529, not 65530\.$/m],
    [['--port='], /^--port must be a number from 1 to 65529, not \.$/m],
  ])('are refused with a sentence and the help: %j', (flags, sentence) => {
    const parsing = () => parseCommandLine(flags);
    expect(parsing).toThrow(StartError);
    expect(parsing).toThrow(sentence);
    expect(parsing).toThrow(HELP);
  });
});
