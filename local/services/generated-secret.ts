import { randomInt } from 'node:crypto';
import { StartError } from '../errors.ts';

/** How a secret is made up, named like `AWS::SecretsManager::Secret.GenerateSecretString`. */
export interface GenerateSecretString {
  readonly SecretStringTemplate?: string;
  readonly GenerateStringKey?: string;
  /** Characters; 32 by default. */
  readonly PasswordLength?: number;
  readonly ExcludeCharacters?: string;
  readonly ExcludeLowercase?: boolean;
  readonly ExcludeUppercase?: boolean;
  readonly ExcludeNumbers?: boolean;
  readonly ExcludePunctuation?: boolean;
  readonly IncludeSpace?: boolean;
  readonly RequireEachIncludedType?: boolean;
}

/** The settings of a secret contradict each other. */
export class SecretSettingsError extends StartError {
  override readonly name = 'SecretSettingsError';
}

/** The classes of characters that Secrets Manager draws from (API_GetRandomPassword). */
const LOWERCASE = 'abcdefghijklmnopqrstuvwxyz';
const UPPERCASE = LOWERCASE.toUpperCase();
const NUMBERS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/**
 * Makes a secret's text as Secrets Manager does: 32 characters with each included class at least once, unless
 * told otherwise (API_GetRandomPassword); within `SecretStringTemplate` under `GenerateStringKey` if given.
 *
 * @throws SecretSettingsError
 */
export function generateSecretString(settings: GenerateSecretString): string {
  const { SecretStringTemplate: template, GenerateStringKey: key } = settings;
  if ((template === undefined) !== (key === undefined)) {
    throw new SecretSettingsError('SecretStringTemplate and GenerateStringKey go together.');
  }
  const password = randomPassword(settings);
  if (template === undefined || key === undefined) return password;
  return JSON.stringify({ ...parsedTemplate(template), [key]: password });
}

function parsedTemplate(template: string): object {
  try {
    const value: unknown = JSON.parse(template);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new SecretSettingsError('SecretStringTemplate is not JSON.', { cause });
  }
  throw new SecretSettingsError('SecretStringTemplate is not a JSON object.');
}

function randomPassword(settings: GenerateSecretString): string {
  const length = settings.PasswordLength ?? 32;
  const excluded = settings.ExcludeCharacters ?? '';
  const classes = [
    settings.ExcludeLowercase === true ? '' : LOWERCASE,
    settings.ExcludeUppercase === true ? '' : UPPERCASE,
    settings.ExcludeNumbers === true ? '' : NUMBERS,
    settings.ExcludePunctuation === true ? '' : PUNCTUATION,
    settings.IncludeSpace === true ? ' ' : '',
  ]
    .map((characters) => [...characters].filter((character) => !excluded.includes(character)).join(''))
    .filter((characters) => characters !== '');
  if (classes.length === 0) throw new SecretSettingsError('Every character is excluded.');
  if (length < 1 || length > 4096) throw new SecretSettingsError('PasswordLength is 1 to 4096.');
  const required = settings.RequireEachIncludedType === false ? [] : classes;
  if (required.length > length) throw new SecretSettingsError('PasswordLength is too small.');
  const characters = required.map(pick);
  const all = classes.join('');
  while (characters.length < length) characters.push(pick(all));
  // Fisher-Yates, so that the required characters do not all stand in front.
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    const moved = characters[last] ?? '';
    characters[last] = characters[other] ?? '';
    characters[other] = moved;
  }
  return characters.join('');
}

function pick(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}
