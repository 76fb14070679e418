import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, readSettings } from '../../infrastructure/settings.ts';

const read = (context: Record<string, unknown>) => readSettings(new App({ context, autoSynth: false }).node);

describe('readSettings', () => {
  it('keeps data and leaves half of the smallest account to the rest, unless told otherwise', () => {
    expect(read({ auth: 'open' })).toEqual({ auth: 'open', data: 'retain', concurrentJobs: 5 });
  });

  it('reads what the command line gives as text', () => {
    expect(
      read({ auth: 'open', data: 'destroy', concurrentJobs: '20', alarmEmail: 'on@call.example' }),
    ).toEqual({
      auth: 'open',
      data: 'destroy',
      concurrentJobs: 20,
      alarmEmail: 'on@call.example',
    });
  });

  it.each([
    [{}, /"auth" is not set: say "-c auth=open" if everybody .* may call, .*"anonymous"/],
    [{ auth: 'closed' }, /"auth" cannot be "closed": say "-c auth=open"/],
    [{ auth: '' }, /"auth" cannot be ""/],
    [{ auth: 'open', data: 'burn' }, /"data" cannot be "burn": say "-c data=retain" or "-c data=destroy"/],
    [
      { auth: 'open', concurrentJobs: '1' },
      /"concurrentJobs" cannot be "1": say a whole number from 2 to 1000/,
    ],
    [{ auth: 'open', concurrentJobs: 'many' }, /"concurrentJobs" cannot be "many"/],
    [{ auth: 'open', concurrentJobs: '1001' }, /"concurrentJobs" cannot be "1001"/],
    [{ auth: 'open', alarmEmail: 'nobody' }, /"alarmEmail" cannot be "nobody": say an address/],
  ])('refuses %j in one sentence that says what to write', (context, sentence) => {
    expect(() => read(context)).toThrow(ConfigurationError);
    expect(() => read(context)).toThrow(sentence);
    expect(() => read(context)).not.toThrow(/\n/);
  });
});
