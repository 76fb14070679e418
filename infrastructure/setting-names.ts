/** The settings, as they are named on the command line and in cdk.json. */
export const SETTING_NAMES = [
  'auth',
  'data',
  'uploadEvents',
  'processing',
  'concurrentJobs',
  'concurrentRanges',
  'rangeMegabytes',
  'broadcast',
  'iotEndpoint',
  'postsPerSecond',
  'alarmEmail',
  'origins',
] as const;

/** The name of a setting. */
export type SettingName = (typeof SETTING_NAMES)[number];

/** What the CDK's command line keeps in cdk.context.json that has no `:` (`cdk acknowledge`, `cdk cli-telemetry`). */
const OF_THE_COMMAND_LINE: ReadonlySet<string> = new Set(['acknowledged-issue-numbers', 'cli-telemetry']);

/**
 * The first key of a context that is neither a setting nor the CDK's own. Its flags begin with `@`, what its command
 * line adds with `aws:cdk:` or `aws-cdk:`, and what it has looked up in an account is `availability-zones:account=…`
 * and the like: all of them have a character that no setting has.
 */
export function unknownSetting(context: object): string | undefined {
  const names: readonly string[] = SETTING_NAMES;
  return Object.keys(context).find(
    (key) => !/[@:$/]/.test(key) && !names.includes(key) && !OF_THE_COMMAND_LINE.has(key),
  );
}

/** The setting whose name is nearest to a text, by letters to add, to take away and to change. */
export function nearestSetting(text: string): SettingName {
  const distances = SETTING_NAMES.map((name) => ({ name, distance: distance(letters(text), letters(name)) }));
  return distances.reduce((one, other) => (other.distance < one.distance ? other : one)).name;
}

/** `upload-events`, as `npm start` has it, is as near to `uploadEvents` as can be. */
function letters(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, against] of [...other].entries()) {
      const [changed = 0, removed = 0] = row.slice(column);
      const added = next[column] ?? 0;
      next.push(Math.min(changed + (letter === against ? 0 : 1), removed + 1, added + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
