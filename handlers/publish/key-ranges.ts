import type { AudienceRange } from '../ports.ts';

/**
 * What ids of connections are made of, in the order of their bytes: both alphabets of base64 (aws-facts 2 has
 * `R1kmxc2VNjMCFIA=`). Where other characters occur, parts are less even; they are complete all the same.
 */
const DIGITS = '+-/0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';
const BASE = BigInt(DIGITS.length);

/** How many characters count: ids have sixteen. */
const LENGTH = 16;

/** The most ranges that one range is divided into: a hundred messages are ten requests of SQS. */
export const MAXIMUM_PARTS = 100;

/** The fewest, where there is more than one: with this a wrong estimate is made good in a few steps. */
const MINIMUM_PARTS = 4;

/** What a range is meant to hold, of what may be read of it: four fifths. See `rowsOfPage`. */
const AIM = { of: 5n, rows: 4n } as const;

/**
 * How many rows to look at in a range that is meant to hold `portion` of them: a quarter more, because estimates are
 * out by some in a hundred (three, where ids are even and a portion is a thousand), and a range with a few rows too
 * many would cost a message more for those few.
 */
export function rowsOfPage(portion: number): number {
  return Math.floor((portion * Number(AIM.of)) / Number(AIM.rows));
}

/** A page of rows, as many as `rowsOfPage` says, whose range goes on behind it. */
export interface ReadPage {
  /** The first connection of the page; undefined where none of its rows counts. */
  readonly first: string | undefined;
  /** The last connection of the page. */
  readonly next: string;
  /** The last connection of the whole range. */
  readonly last: string;
  /** The end of the range, as it was asked for. */
  readonly until: string | undefined;
}

/**
 * Divides what is left of a range into ranges of about one portion: as many as there are if rows lie as close as they
 * do in the page. Nothing depends on whether they do: together the ranges are exactly the rest, and one that holds
 * too much is divided again.
 */
export function divideRest({ first, next, last, until }: ReadPage): readonly AudienceRange[] {
  const bounds = boundsBetween(next, last, partsOf(first, next, last));
  return [next, ...bounds].map((after, index): AudienceRange => {
    const end = bounds[index] ?? until;
    return end === undefined ? { after } : { after, until: end };
  });
}

function partsOf(first: string | undefined, next: string, last: string): number {
  if (first === undefined) return MINIMUM_PARTS;
  const page = placeOf(next) - placeOf(first);
  if (page <= 0n) return MAXIMUM_PARTS;
  const portion = page * AIM.rows;
  const parts = ((placeOf(last) - placeOf(next)) * AIM.of + portion - 1n) / portion;
  if (parts <= 1n) return 1;
  return Number(clamp(parts, BigInt(MINIMUM_PARTS), BigInt(MAXIMUM_PARTS)));
}

/** At most `parts - 1` texts that lie strictly between two, at even distances, in order. */
function boundsBetween(after: string, last: string, parts: number): readonly string[] {
  const [from, to] = [placeOf(after), placeOf(last)];
  const bounds: string[] = [];
  for (let index = 1; index < parts; index += 1) {
    const bound = textOf(from + ((to - from) * BigInt(index)) / BigInt(parts));
    if (bound > (bounds.at(-1) ?? after) && bound < last) bounds.push(bound);
  }
  return bounds;
}

/** Where a text lies among all: its characters as the digits of a number. */
function placeOf(text: string): bigint {
  let place = 0n;
  for (let index = 0; index < LENGTH; index += 1) place = place * BASE + digitOf(text[index]);
  return place;
}

/** The digit of a character; that of the next lower one where it is none of ours. */
function digitOf(character: string | undefined): bigint {
  if (character === undefined) return 0n;
  let digit = 0;
  while (digit + 1 < DIGITS.length && (DIGITS[digit + 1] ?? '') <= character) digit += 1;
  return BigInt(digit);
}

function textOf(place: bigint): string {
  let text = '';
  for (let left = place, index = 0; index < LENGTH; index += 1, left /= BASE) {
    text = `${DIGITS[Number(left % BASE)] ?? ''}${text}`;
  }
  return text;
}

function clamp(value: bigint, lowest: bigint, highest: bigint): bigint {
  if (value < lowest) return lowest;
  return value > highest ? highest : value;
}
