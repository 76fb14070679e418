/** The most characters of a value that a profile quotes. */
export const QUOTED_CHARACTERS = 100;

/** At most the first `limit` UTF-16 code units of a text, without half a surrogate pair at the end. */
export function beginningOf(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? limit - 1 : limit);
}

/**
 * A copy that stands alone. V8 represents what is cut from a text as a view of it, so that one kept value of ten
 * characters would keep a whole piece of the file in memory.
 */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
