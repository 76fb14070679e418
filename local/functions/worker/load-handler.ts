import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeError } from './wire-error.ts';

/** A handler of the function, typed as loosely as Lambda calls it. */
export type Handler = (event: unknown, context: object) => unknown;

/** In the order in which Lambda's Node.js runtime looks for a module. */
const EXTENSIONS = ['', '.js', '.mjs', '.cjs'];

/**
 * Imports the module of `handler` (`index.handler`, `folder/index.nested.handler`) from `taskRoot`.
 * Throws `RuntimeError` as Lambda reports it: `Runtime.ImportModuleError`, `Runtime.HandlerNotFound`,
 * `Runtime.MalformedHandlerName`, `Runtime.CallbackHandlerDeprecated`; what the module itself throws while
 * it loads passes through.
 */
export async function loadHandler(taskRoot: string, handler: string): Promise<Handler> {
  const [, moduleName, exportName] = /^((?:[^/]*\/)*[^/.]+)\.(.+)$/.exec(handler) ?? [];
  if (moduleName === undefined || exportName === undefined) {
    throw new RuntimeError('Runtime.MalformedHandlerName', `Bad handler: ${handler}`);
  }
  const file = EXTENSIONS.map((extension) => path.join(taskRoot, moduleName + extension)).find(
    (candidate, index) => index > 0 && existsSync(candidate),
  );
  if (file === undefined) {
    throw new RuntimeError(
      'Runtime.ImportModuleError',
      `Error: Cannot find module '${moduleName}' in ${taskRoot}: the function was not bundled, or its Handler is wrong`,
    );
  }
  const found = findExport(await importModule(file), exportName);
  if (typeof found !== 'function') {
    throw new RuntimeError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  // nodejs24.x and later have no callback handlers (aws-facts 6).
  if (found.length > 2) {
    throw new RuntimeError(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24: ' +
        `${handler} takes ${found.length} arguments; make it an async function of (event, context)`,
    );
  }
  // It is a function; what it takes and gives is between the function and its callers, as on Lambda.
  return found as Handler;
}

async function importModule(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      if (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND') {
        throw new RuntimeError('Runtime.ImportModuleError', `Error: ${error.message}`, { cause: error });
      }
    }
    if (error instanceof SyntaxError) {
      throw new RuntimeError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** A CommonJS bundle shows its exports under `default` too, and some only there. */
function findExport(module: unknown, exportName: string): unknown {
  const direct = property(module, exportName);
  return direct === undefined ? property(property(module, 'default'), exportName) : direct;
}

function property(value: unknown, name: string): unknown {
  let current = value;
  for (const part of name.split('.')) {
    if ((typeof current !== 'object' && typeof current !== 'function') || current === null) return undefined;
    current = Reflect.get(current, part);
  }
  return current;
}
