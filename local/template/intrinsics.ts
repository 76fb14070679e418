import { StartError } from '../errors.ts';

/** What the intrinsic functions of a template refer to. Both throw StartError for what they do not know. */
export interface Scope {
  /** The value of `Ref`: a resource's physical id, a parameter, or a pseudo parameter. */
  reference(name: string): unknown;
  /** The value of `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): unknown;
}

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (argument, scope) => scope.reference(text(argument, 'Ref')),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, name] =
      typeof argument === 'string' ? splitOnce(argument, '.') : list(argument, 'Fn::GetAtt');
    return scope.attribute(text(logicalId, 'Fn::GetAtt'), text(resolve(name, scope), 'Fn::GetAtt'));
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = list(argument, 'Fn::Join');
    const resolved = list(resolve(parts, scope), 'Fn::Join');
    return onThisMachine(resolved.map((part) => text(part, 'Fn::Join')).join(text(separator, 'Fn::Join')));
  },
  'Fn::Sub': (argument, scope) => {
    const [pattern, variables] = Array.isArray(argument) ? argument : [argument, {}];
    const values = record(resolve(variables, scope), 'Fn::Sub');
    const replaced = text(pattern, 'Fn::Sub').replaceAll(/\$\{([^!}][^}]*)\}/g, (_, name: string) => {
      if (Object.hasOwn(values, name)) return text(values[name], 'Fn::Sub');
      const [logicalId, attribute] = splitOnce(name, '.');
      const value =
        attribute === undefined ? scope.reference(name) : scope.attribute(logicalId ?? name, attribute);
      return text(value, 'Fn::Sub');
    });
    return onThisMachine(replaced.replaceAll('${!', '${'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, values] = list(argument, 'Fn::Select');
    return list(resolve(values, scope), 'Fn::Select')[Number(resolve(index, scope))];
  },
  'Fn::Split': (argument, scope) => {
    const [separator, value] = list(argument, 'Fn::Split');
    return text(resolve(value, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
};

/**
 * Resolves every intrinsic function inside a value of a template.
 * @throws StartError for a function that is not supported and for what the scope does not know.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => resolve(item, scope)).filter((item) => item !== undefined);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined) {
    const [name, argument] = first;
    const intrinsic = INTRINSICS[name];
    if (intrinsic !== undefined) return intrinsic(argument, scope);
    if (name.startsWith('Fn::')) throw new StartError(`The local runtime does not support ${name}`);
  }
  return Object.fromEntries(entries.map(([name, item]) => [name, resolve(item, scope)]));
}

/**
 * A template writes `https://` and `wss://` before the host names of its resources; on this machine the same
 * resources answer without TLS.
 */
function onThisMachine(url: string): string {
  return url
    .replaceAll('https://127.0.0.1:', 'http://127.0.0.1:')
    .replaceAll('wss://127.0.0.1:', 'ws://127.0.0.1:');
}

function splitOnce(value: string, separator: string): readonly [string, string | undefined] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + separator.length)];
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new StartError(`${where} needs a text, not ${JSON.stringify(value)}`);
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new StartError(`${where} needs a list, not ${JSON.stringify(value)}`);
}

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>; // neither null nor a list: an object of a JSON text
  }
  throw new StartError(`${where} needs an object, not ${JSON.stringify(value)}`);
}
