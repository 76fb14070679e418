import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
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

/** The content by path without a leading slash (`index.html`, `assets/page.js`). */
export type PageFiles = ReadonlyMap<string, string | Uint8Array>;

/** A page that is served as the CDN would serve it. */
export interface StaticSiteSettings {
  /** 0 for a free one. */
  readonly port: number;
  readonly files: PageFiles;
  /** What `/` is, such as `index.html`. */
  readonly defaultRootObject: string;
  readonly responseHeadersPolicy?: ResponseHeadersPolicy;
  /** The path of the page for what is not there, without a leading slash. */
  readonly notFoundPage?: string;
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

/** A page that is being served. */
export interface StaticSite extends RunningService {
  /** Serves these files from now on, and no others. Answers whether any is another than before. */
  replace(files: PageFiles): boolean;
}

/**
 * Serves a page with the headers that the CDN of the template adds. Whoever asks for it as `localhost` is sent
 * to 127.0.0.1: the template's CORS rules name one of the two, and a browser takes the two for different ones.
 *
 * @throws the system's error if the port is taken
 */
export async function startStaticSite(settings: StaticSiteSettings): Promise<StaticSite> {
  const listening = await listen(HOST, settings.port);
  const endpoint = `http://${HOST}:${listening.port}`;
  const headers = headersOf(settings.responseHeadersPolicy ?? {});
  let files = settings.files;
  listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.setHeaders(headers);
    if (/^localhost(:\d+)?$/i.test(request.headers.host ?? '')) {
      response.writeHead(308, { Location: endpoint + originForm(request.url), 'Content-Length': 0 }).end();
    } else answer({ ...settings, files }, request, response);
  });
  return {
    endpoint,
    port: listening.port,
    replace(next) {
      const changed = !isSame(files, next);
      files = next;
      return changed;
    },
    close: () => listening.close(),
  };
}

function isSame(one: PageFiles, other: PageFiles): boolean {
  return (
    one.size === other.size &&
    [...one].every(([path, content]) => {
      const its = other.get(path);
      return its !== undefined && Buffer.from(content).equals(Buffer.from(its));
    })
  );
}

/** A client may also ask for a whole URL, as if we were a proxy. */
function originForm(url: string | undefined): string {
  return url?.startsWith('/') === true ? url : '/';
}

function answer(
  settings: Pick<StaticSiteSettings, 'files' | 'defaultRootObject' | 'notFoundPage'>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end();
    return;
  }
  const path = filePath(request.url ?? '/', settings.defaultRootObject);
  const content = path === undefined ? undefined : read(settings.files, path);
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
  const notFound = page === undefined ? undefined : read(settings.files, page);
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
  return path === '' ? defaultRootObject : path;
}

function read(files: PageFiles, path: string): Uint8Array | undefined {
  const content = files.get(path);
  return typeof content === 'string' ? Buffer.from(content) : content;
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
