import { InvalidPatternError } from './invalid-pattern-error.ts';
import { compileLeaf, type Leaf } from './pattern-leaf.ts';

/** Tells whether an event matches. */
export type EventMatcher = (event: unknown) => boolean;

/** How deep `$or` may nest and a pattern may reach; beyond this it is a mistake, not a pattern. */
const MAXIMUM_DEPTH = 100;

/**
 * Compiles an event pattern of EventBridge, or a filter pattern of a Lambda event source mapping: the syntax
 * is the same ("Content filtering in Amazon EventBridge event patterns"; aws-facts 3.6). Takes the JSON text
 * or the parsed pattern.
 *
 * Fields are joined by AND, the elements of an array by OR, alternatives over several fields by `$or`. A
 * field of the event that is an array matches when one of its elements does.
 *
 * Throws `InvalidPatternError`, which names the path of what is wrong.
 */
export function compilePattern(pattern: unknown): EventMatcher {
  const parsed = typeof pattern === 'string' ? parse(pattern) : pattern;
  return compileObject(parsed, []);
}

/** Compiles `FilterCriteria.Filters`: an event passes when one matches; no filter lets everything pass. */
export function compileFilters(patterns: readonly unknown[]): EventMatcher {
  if (patterns.length === 0) return () => true;
  const matchers = patterns.map(compilePattern);
  return (event) => matchers.some((matches) => matches(event));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidPatternError([], 'it is not JSON', { cause: error });
  }
}

function compileObject(pattern: unknown, path: readonly string[]): EventMatcher {
  if (!isObject(pattern)) throw new InvalidPatternError(path, 'a pattern is a JSON object');
  if (path.length > MAXIMUM_DEPTH) throw new InvalidPatternError(path, 'it is nested too deeply');
  const fields = Object.entries(pattern);
  if (fields.length === 0)
    throw new InvalidPatternError(path, 'an empty object matches nothing; leave it out');
  const matchers = fields.map(([name, value]) => compileField(name, value, [...path, name]));
  return (event) => matchers.every((matches) => matches(event));
}

function compileField(name: string, value: unknown, path: readonly string[]): EventMatcher {
  if (name === '$or') return compileAlternatives(value, path);
  if (Array.isArray(value)) {
    const matchesLeaf = compileLeaf(value, path);
    return (event) => matchesLeaf(leafOf(event, name));
  }
  const matchesNested = compileObject(value, path);
  return (event) => {
    const nested = isObject(event) ? own(event, name) : undefined;
    if (!Array.isArray(nested)) return matchesNested(nested);
    // An absent list of objects is like an absent field: `exists: false` below it holds.
    return nested.length === 0 ? matchesNested(undefined) : nested.some(matchesNested);
  };
}

function compileAlternatives(value: unknown, path: readonly string[]): EventMatcher {
  if (!Array.isArray(value) || value.length < 2) {
    throw new InvalidPatternError(path, '$or is a list of two patterns or more');
  }
  const matchers = value.map((alternative, index) => compileObject(alternative, [...path, String(index)]));
  return (event) => matchers.some((matches) => matches(event));
}

/**
 * The leaf under `name`: scalars only. An object is not a leaf, so `exists: false` holds for it, as AWS was
 * seen to do (aws-facts 3.6: the trap of an attribute without its type tag).
 */
function leafOf(event: unknown, name: string): Leaf {
  if (!isObject(event)) return [];
  const value = own(event, name);
  const values = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
  return values.filter(
    (entry): entry is Leaf[number] =>
      entry === null || typeof entry === 'string' || typeof entry === 'number' || typeof entry === 'boolean',
  );
}

function own(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
