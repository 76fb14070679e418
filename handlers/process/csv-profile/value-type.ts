import type { ValueType } from './csv-profile-document.ts';

const INTEGER = /^[+-]?(?:0|[1-9]\d*)$/;
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const BOOLEAN = /^(?:true|false)$/i;
const DATE = /^\d{4}([-/])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])$/;
const DATE_TIME =
  /^\d{4}([-/])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-][01]\d:?[0-5]\d)?$/;

/** The longest text that any of the patterns can match with sense; spares them what is longer. */
const LONGEST_TYPED = 40;

const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** The type of one value that is neither empty nor surrounded by blanks. Documented at `ValueType`. */
export function typeOf(value: string): ValueType {
  if (value.length > LONGEST_TYPED) return 'text';
  const first = value.charCodeAt(0);
  const startsWithDigit = first >= DIGIT_0 && first <= DIGIT_9;
  if (!startsWithDigit) {
    if (BOOLEAN.test(value)) return 'boolean';
    if (first !== 43 && first !== 45 && first !== 46) return 'text'; // + - .
  }
  if (INTEGER.test(value)) return 'integer';
  if (NUMBER.test(value)) return Number.isFinite(Number(value)) ? 'number' : 'text';
  if (DATE.test(value)) return 'date';
  return DATE_TIME.test(value) ? 'datetime' : 'text';
}

/**
 * What dates and date-times are ordered by: milliseconds since the epoch. Those without a zone count as UTC.
 * Not a number where the calendar has no such day (31 April).
 */
export function instantOf(value: string): number {
  const [day = '', time = '00:00'] = value.replaceAll('/', '-').split(/[T ]/);
  const zone = /(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? '' : 'Z';
  return Date.parse(`${day}T${time.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')}${zone}`);
}
