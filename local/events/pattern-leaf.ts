import { BlockList, isIP } from 'node:net';
import { InvalidPatternError } from './invalid-pattern-error.ts';

/** A scalar of an event or of a pattern. */
type Scalar = string | number | boolean | null;

/** The scalars under one field of the event; empty when the field is absent or an object. */
export type Leaf = readonly Scalar[];

type Path = readonly string[];
type Test = (value: Scalar) => boolean;

/** EventBridge compares numbers from -5e9 to 5e9 only. */
const NUMERIC_LIMIT = 5e9;

/**
 * Compiles the array under a field of a pattern: `["INSERT", {"prefix": "jobs/"}]`. Throws
 * `InvalidPatternError`.
 */
export function compileLeaf(alternatives: readonly unknown[], path: Path): (leaf: Leaf) => boolean {
  if (alternatives.length === 0) throw new InvalidPatternError(path, 'an empty list matches nothing');
  const matchers = alternatives.map((alternative) => compileAlternative(alternative, path));
  return (leaf) => matchers.some((matches) => matches(leaf));
}

function compileAlternative(alternative: unknown, path: Path): (leaf: Leaf) => boolean {
  if (isScalar(alternative)) return some((value) => value === alternative);
  const [operator, operand] = soleEntry(alternative, path);
  if (operator === 'exists') {
    if (typeof operand !== 'boolean') throw new InvalidPatternError(path, 'exists is true or false');
    return (leaf) => leaf.length > 0 === operand;
  }
  return some(compileOperator(operator, operand, path));
}

function some(test: Test): (leaf: Leaf) => boolean {
  return (leaf) => leaf.some(test);
}

function compileOperator(operator: string, operand: unknown, path: Path): Test {
  switch (operator) {
    case 'prefix':
      return affix(operator, operand, path, (text, part) => text.startsWith(part));
    case 'suffix':
      return affix(operator, operand, path, (text, part) => text.endsWith(part));
    case 'equals-ignore-case': {
      const expected = string(operator, operand, path).toLowerCase();
      return (value) => typeof value === 'string' && value.toLowerCase() === expected;
    }
    case 'wildcard': {
      const expression = wildcard(string(operator, operand, path), path);
      return (value) => typeof value === 'string' && expression.test(value);
    }
    case 'numeric':
      return numeric(operand, path);
    case 'cidr':
      return cidr(string(operator, operand, path), path);
    case 'anything-but':
      return anythingBut(operand, path);
    default:
      throw new InvalidPatternError(path, `${operator} is no comparison operator`);
  }
}

function affix(
  operator: string,
  operand: unknown,
  path: Path,
  test: (text: string, part: string) => boolean,
): Test {
  if (typeof operand === 'string') return (value) => typeof value === 'string' && test(value, operand);
  const [name, ignored] = soleEntry(operand, path);
  if (name !== 'equals-ignore-case') {
    throw new InvalidPatternError(path, `${operator} is a string or {"equals-ignore-case": string}`);
  }
  const part = string(operator, ignored, path).toLowerCase();
  return (value) => typeof value === 'string' && test(value.toLowerCase(), part);
}

/** Holds for a value that is there and is none of those named. */
function anythingBut(operand: unknown, path: Path): Test {
  if (isScalar(operand)) {
    if (operand === null || typeof operand === 'boolean') {
      throw new InvalidPatternError(
        path,
        'anything-but is a string, a number, a list of these, or an operator',
      );
    }
    return (value) => value !== operand;
  }
  if (Array.isArray(operand)) {
    const strings = operand.every((entry) => typeof entry === 'string');
    if (operand.length === 0 || !(strings || operand.every((entry) => typeof entry === 'number'))) {
      throw new InvalidPatternError(path, 'anything-but lists strings alone or numbers alone');
    }
    const excluded: readonly unknown[] = operand;
    return (value) => !excluded.includes(value);
  }
  const [operator, inner] = soleEntry(operand, path);
  if (!['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(operator)) {
    throw new InvalidPatternError(path, `anything-but takes no ${operator}`);
  }
  const parts = Array.isArray(inner) ? inner : [inner];
  if (parts.length === 0) throw new InvalidPatternError(path, 'an empty list matches nothing');
  const tests = parts.map((part) => compileOperator(operator, part, path));
  return (value) => !tests.some((test) => test(value));
}

/** `["=", 5]`, `[">", 0, "<=", 100]`. A string never matches, so neither does a DynamoDB number. */
function numeric(operand: unknown, path: Path): Test {
  const wrong = new InvalidPatternError(path, 'numeric is ["=", n] or a range such as [">", n, "<=", m]');
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) throw wrong;
  const bounds = [operand.slice(0, 2), operand.slice(2)].filter((bound) => bound.length > 0);
  const tests = bounds.map(([operator, limit]) => {
    if (typeof limit !== 'number' || Math.abs(limit) > NUMERIC_LIMIT) throw wrong;
    if (operator === '=' && operand.length === 2) return (value: number) => value === limit;
    if (operator === '>') return (value: number) => value > limit;
    if (operator === '>=') return (value: number) => value >= limit;
    if (operator === '<') return (value: number) => value < limit;
    if (operator === '<=') return (value: number) => value <= limit;
    throw wrong;
  });
  const [lower, upper] = bounds;
  if (lower !== undefined && upper !== undefined) {
    const isRange = String(lower[0]).startsWith('>') && String(upper[0]).startsWith('<');
    if (!isRange || Number(lower[1]) >= Number(upper[1])) throw wrong;
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function cidr(text: string, path: Path): Test {
  const [address = '', bits = ''] = text.split('/');
  const version = isIP(address);
  const size = Number(bits);
  if (version === 0 || !/^\d{1,3}$/.test(bits) || size > (version === 4 ? 32 : 128)) {
    throw new InvalidPatternError(path, `${text} is no CIDR block`);
  }
  const block = new BlockList();
  block.addSubnet(address, size, version === 4 ? 'ipv4' : 'ipv6');
  return (value) => {
    if (typeof value !== 'string') return false;
    const found = isIP(value);
    return found !== 0 && block.check(value, found === 4 ? 'ipv4' : 'ipv6');
  };
}

/** `*` stands for any characters; `\*` and `\\` for themselves. */
function wildcard(text: string, path: Path): RegExp {
  let source = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    const next = text.charAt(index + 1);
    if (character === '*') {
      if (next === '*') throw new InvalidPatternError(path, 'consecutive wildcards');
      source += '[^]*';
    } else if (character === '\\') {
      if (next !== '*' && next !== '\\')
        throw new InvalidPatternError(path, 'a backslash escapes * or \\ only');
      source += escaped(next);
      index += 1;
    } else {
      source += escaped(character);
    }
  }
  return new RegExp(`^${source}$`);
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}

function string(operator: string, operand: unknown, path: Path): string {
  if (typeof operand !== 'string') throw new InvalidPatternError(path, `${operator} takes a string`);
  return operand;
}

function soleEntry(value: unknown, path: Path): [string, unknown] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const [first, second] = Object.entries(value);
    if (first !== undefined && second === undefined) return first;
  }
  throw new InvalidPatternError(
    path,
    'expected a string, number, boolean, null or an object with one operator',
  );
}

function isScalar(value: unknown): value is Scalar {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  );
}
