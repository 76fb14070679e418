import { stripVTControlCharacters } from 'node:util';

/**
 * Text that came from elsewhere, on one line and without anything that a terminal would obey: escape sequences,
 * control characters, and those that turn the direction of writing.
 */
export function safeText(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
}
