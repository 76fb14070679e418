import { isRecord } from './authorizer-result.ts';
import { GatewaySettingsError } from './gateway-error.ts';

/** A parsed RouteSelectionExpression. */
export interface RouteSelection {
  /**
   * The value of the expression for a message: what is missing is "", lists are "[item1, item2]". Undefined
   * if the expression reads the body and the body is no JSON, which always means `$default` (aws-facts 1.3).
   */
  evaluate(body: string): string | undefined;
}

type Part = { readonly text: string } | { readonly path: readonly string[] };

/**
 * Parses `$request.body.a.b`, `${request.body.a}/${request.body.b}` with static text between, a bare word, or
 * `\$default` (APIGW:websocket-api-develop-routes). A path may use `.name`, `['name']` and `[0]`.
 *
 * @throws GatewaySettingsError if the expression has another form
 */
export function parseRouteSelection(expression: string): RouteSelection {
  const parts = parseParts(expression);
  const readsBody = parts.some((part) => 'path' in part);
  return {
    evaluate(body) {
      let json: unknown;
      if (readsBody) {
        try {
          json = JSON.parse(body);
        } catch {
          // Not an error: a message need not be JSON, it only cannot choose its route.
          return undefined;
        }
      }
      return parts.map((part) => ('text' in part ? part.text : asText(follow(json, part.path)))).join('');
    },
  };
}

function parseParts(expression: string): readonly Part[] {
  if (expression === '') throw new GatewaySettingsError('The route selection expression is empty');
  if (/^\$request\./.test(expression)) return [{ path: parsePath(expression.slice(1), expression) }];
  const parts: Part[] = [];
  let rest = expression;
  while (rest !== '') {
    const variable = /^\$\{([^}]*)\}/.exec(rest);
    const text = /^(?:\\\$|[^$\\])+/.exec(rest);
    if (variable?.[1] !== undefined) parts.push({ path: parsePath(variable[1], expression) });
    else if (text !== null) parts.push({ text: text[0].replaceAll('\\$', '$') });
    else throw refused(expression);
    rest = rest.slice((variable ?? text)?.[0].length);
  }
  return parts;
}

function parsePath(variable: string, expression: string): readonly string[] {
  const path: string[] = [];
  let rest = /^request\.body(?=[.[]|$)/.test(variable) ? variable.slice('request.body'.length) : undefined;
  while (rest !== undefined && rest !== '') {
    const step = /^(?:\.([^.[\]'"\s]+)|\[(\d+)\]|\['([^']+)'\]|\["([^"]+)"\])/.exec(rest);
    const name = step?.slice(1).find((group) => group !== undefined);
    if (step === null || name === undefined) throw refused(expression);
    path.push(name);
    rest = rest.slice(step[0].length);
  }
  if (path.length === 0) throw refused(expression);
  return path;
}

function refused(expression: string): GatewaySettingsError {
  return new GatewaySettingsError(
    `Cannot read the route selection expression "${expression}": expected $request.body.<path>, or static text with \${request.body.<path>}`,
  );
}

function follow(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (Array.isArray(current)) current = current[Number(name)];
    else if (isRecord(current) && Object.hasOwn(current, name)) current = current[name];
    else return undefined;
  }
  return current;
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return `[${value.map(asText).join(', ')}]`;
  // How AWS writes an object is not documented.
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
