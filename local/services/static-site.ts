import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { listen } from '../gateway/listening-server.ts';
import type { RunningService } from './running-service.ts';
import { HOST } from './running-service.ts';

/** Headers that the CDN adds, named like `AWS::CloudFront::ResponseHeadersPolicy` but with values resolved. */
export interface ResponseHeadersPolicy {
  readonly SecurityHeadersConfig?: {
    readonly ContentSecurityPolicy?: { readonly ContentSecurityPolicy: string };
    /** `nosniff`. */
    readonly ContentTypeOptions?: object;
    readonly FrameOptions?: { readonly FrameOption: 'DENY' | 'SAMEORIGIN' };
    readonly ReferrerPolicy?: { readonly ReferrerPolicy: string };
    readonly StrictTransportSecurity?: {
      readonly AccessControlMaxAgeSec: number;
      readonly IncludeSubdomains?: boolean;
      readonly Preload?: boolean;
    };
    readonly XSSProtection?: {
      readonly Protection: boolean;
      readonly ModeBlock?: boolean;
      readonly ReportUri?: string;
    };
  };
  readonly CustomHeadersConfig?: {
    readonly Items: readonly { readonly Header: string; readonly Value: string }[];
  };
}

/** A page that is served as the CDN would serve it. */
export interface StaticSiteSettings {
  /** 0 for a free one. */
  readonly port: number;
  /** A directory, or the files themselves by path without a leading slash (`index.html`, `assets/page.js`). */
  readonly source: string | ReadonlyMap<string, string | Uint8Array>;
  /** What `/` is, such as `index.html`. */
  readonly defaultRootObject: string;
  readonly responseHeadersPolicy?: ResponseHeadersPolicy;
  /** The path of the page for what is not there, without a leading slash. */
  readonly notFoundPage?: string;
  readonly log: (line: string) => void;
}

/** What the types of files are that a page is made of. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/**
 * Serves a page with the headers that the CDN of the template adds. A directory is read anew for every
 * request, so that a rebuilt page is there at once.
 *
 * @throws the system's error if the port is taken
 */
export async function startStaticSite(settings: StaticSiteSettings): Promise<RunningService> {
  const listening = await listen(HOST, settings.port);
  const headers = headersOf(settings.responseHeadersPolicy ?? {});
  listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(settings, headers, request, response).catch((error: unknown) => {
      settings.log(`Page: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  return {
    endpoint: `http://${HOST}:${listening.port}`,
    port: listening.port,
    close: () => listening.close(),
  };
}

async function answer(
  settings: StaticSiteSettings,
  headers: Map<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeaders(headers);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end();
    return;
  }
  const path = filePath(request.url ?? '/', settings.defaultRootObject);
  const content = path === undefined ? undefined : await read(settings.source, path);
  if (path !== undefined && content !== undefined) {
    const etag = `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"`;
    response.setHeader('ETag', etag);
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    send(request, response, 200, path, content);
    return;
  }
  const page = settings.notFoundPage;
  const notFound = page === undefined ? undefined : await read(settings.source, page);
  if (page === undefined || notFound === undefined) {
    send(request, response, 404, 'not-found.txt', Buffer.from('Not found\n'));
  } else send(request, response, 404, page, notFound);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  path: string,
  content: Uint8Array,
): void {
  response.writeHead(status, {
    'Content-Type': CONTENT_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
    'Content-Length': content.length,
  });
  response.end(request.method === 'HEAD' ? undefined : content);
}

/** The path of a file without a leading slash; undefined for what no file of the page can be. */
function filePath(url: string, defaultRootObject: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.split('?', 1)[0] ?? '/').replace(/^\/+/, '');
  } catch {
    // A stray "%": no file has such a name.
    return undefined;
  }
  if (path === '') return defaultRootObject;
  const segments = path.split(/[/\\]/);
  // A colon is a drive or a stream to Windows.
  if (path.includes('\0') || path.includes(':') || segments.some((segment) => /^\.{1,2}$/.test(segment))) {
    return undefined;
  }
  return path;
}

async function read(source: StaticSiteSettings['source'], path: string): Promise<Uint8Array | undefined> {
  if (typeof source !== 'string') {
    const content = source.get(path);
    return typeof content === 'string' ? Buffer.from(content) : content;
  }
  try {
    return await readFile(join(source, path.replaceAll('/', sep)));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR' || code === 'ENAMETOOLONG')
      return undefined;
    throw error;
  }
}

function headersOf(policy: ResponseHeadersPolicy): Map<string, string> {
  const security = policy.SecurityHeadersConfig ?? {};
  const { StrictTransportSecurity: transport, XSSProtection: xss } = security;
  const values: readonly (readonly [string, string | undefined])[] = [
    ['Content-Security-Policy', security.ContentSecurityPolicy?.ContentSecurityPolicy],
    ['X-Content-Type-Options', security.ContentTypeOptions && 'nosniff'],
    ['X-Frame-Options', security.FrameOptions?.FrameOption],
    ['Referrer-Policy', security.ReferrerPolicy?.ReferrerPolicy],
    [
      'Strict-Transport-Security',
      transport &&
        [
          `max-age=${transport.AccessControlMaxAgeSec}`,
          ...(transport.IncludeSubdomains === true ? ['includeSubDomains'] : []),
          ...(transport.Preload === true ? ['preload'] : []),
        ].join('; '),
    ],
    [
      'X-XSS-Protection',
      xss &&
        [
          xss.Protection ? '1' : '0',
          ...(xss.ModeBlock === true ? ['mode=block'] : []),
          ...(xss.ReportUri === undefined ? [] : [`report=${xss.ReportUri}`]),
        ].join('; '),
    ],
    ...(policy.CustomHeadersConfig?.Items ?? []).map(({ Header, Value }) => [Header, Value] as const),
  ];
  const headers = new Map<string, string>();
  for (const [name, value] of values) if (value !== undefined) headers.set(name, value);
  return headers;
}
