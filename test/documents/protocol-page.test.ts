import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { AWAITING_JOB, CLIENT_EXAMPLES, SERVER_EXAMPLES } from '../../documents/examples.ts';
import { OPERATIONS, type Operation } from '../../documents/operations.ts';
import { HTTP_SCHEMAS } from '../../documents/schemas.ts';
import { BYES } from '../../protocol/bye.ts';
import { FRAME_ERRORS, PROBLEMS, type ProblemCode } from '../../protocol/error-codes.ts';
import { parseClientFrame, parseServerFrame } from '../../protocol/frames.ts';

const PAGE = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The text below a heading, up to the next of its level. */
function section(heading: string): string {
  const level = heading.slice(0, heading.indexOf(' '));
  const [, after = ''] = PAGE.split(`\n${heading}\n`);
  const [text = ''] = after.split(`\n${level} `);
  return text;
}

/** A line of a walkthrough, read: `…` stands for the fields of a job that are not shown. */
function read(json: string): unknown {
  return JSON.parse(json.replaceAll(',…}', ',"…":true}'), (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('…' in value)) return value;
    const { '…': _rest, ...shown } = value;
    return { ...AWAITING_JOB, ...shown };
  });
}

interface Line {
  readonly kind: 'C' | 'S' | '→' | '←';
  readonly text: string;
}

const LINES: readonly Line[] = Array.from(
  section('## Walkthroughs').matchAll(/^ {3}([CS→←]) (.+)$/gm),
  ([, kind, text = '']) => ({ kind: kind as Line['kind'], text }), // one of the four that the expression lists
);

function operationOf(request: string): Operation {
  const [method, path = ''] = request.split(' ');
  const shape = path.replace(/\?.*/, '').replace(/job_\w+/, '{id}');
  const operation = OPERATIONS.find((each) => each.method === method && each.path === shape);
  if (operation === undefined) throw new Error(`no such call: ${request}`);
  return operation;
}

/** The call that each answer belongs to: the nearest request above it. */
const ANSWERS = LINES.flatMap((line, index) => {
  if (line.kind !== '←') return [];
  const request = LINES.slice(0, index).findLast(({ kind }) => kind === '→');
  return [[request?.text ?? '', line.text] as const];
});

function frames(kind: 'C' | 'S'): string[] {
  return LINES.filter((line) => line.kind === kind).map(({ text }) => text);
}

describe('docs/protocol.md', () => {
  it('walks through every frame and every call', () => {
    const types = [...frames('C'), ...frames('S')].map((text) => /"type":"(\w+)"/.exec(text)?.[1]);
    const known = [...Object.keys(CLIENT_EXAMPLES), ...Object.keys(SERVER_EXAMPLES)];
    expect([...new Set(types)].toSorted()).toEqual(known.toSorted());
    const walked = new Set(ANSWERS.map(([request]) => operationOf(request).id));
    expect([...walked].toSorted()).toEqual(OPERATIONS.map(({ id }) => id).toSorted());
  });

  it.each(frames('C'))('C %s', (text) => {
    const frame = read(text);
    expect(parseClientFrame(JSON.stringify(frame))).toEqual(frame);
  });

  it.each(frames('S'))('S %s', (text) => {
    const frame = read(text);
    expect(parseServerFrame(JSON.stringify(frame))).toEqual(frame);
  });

  it.each(LINES.filter(({ kind }) => kind === '→').map(({ text }) => text))('→ %s', (text) => {
    const { body } = operationOf(text);
    const json = text.split(' ').slice(2).join(' ');
    expect(json === '').toBe(body === undefined);
    if (body !== undefined)
      expect(v.parse(HTTP_SCHEMAS[body].schema, read(json))).toMatchObject(Object(read(json)));
  });

  it.each(ANSWERS)('%s ← %s', (request, text) => {
    const operation = operationOf(request);
    const [status, ...rest] = text.split(' ');
    const json = rest.join(' ');
    const answer = operation.answers.find((each) => String(each.status) === status);
    const codes: readonly ProblemCode[] = [...operation.problems, 'unauthorized', 'internal'];
    const isProblem = codes.some((code) => String(PROBLEMS[code].status) === status);
    expect(answer !== undefined || isProblem).toBe(true);
    const body = answer === undefined ? 'Problem' : answer.body;
    if (body === undefined) expect(json).toBe('');
    else expect(v.parse(HTTP_SCHEMAS[body].schema, read(json))).toEqual(read(json));
  });

  it('has the tables of codes that the code has', () => {
    const codes = section('## Codes');
    for (const [code, { title, status, retryable }] of Object.entries(PROBLEMS)) {
      expect(codes).toContain(`| \`${code}\` | ${title} | ${status} | ${retryable ? 'yes' : 'no'} |`);
    }
    for (const code of Object.keys(FRAME_ERRORS)) expect(codes).toContain(`\`${code}\``);
    const [, reconnecting = '', stopping = ''] =
      /bye`: (.+) \(all reconnect\); (.+) \(all stop\)/.exec(codes) ?? [];
    for (const [code, { reason, reconnect }] of Object.entries(BYES)) {
      expect(reconnect ? reconnecting : stopping).toContain(`${code} ${reason}`);
    }
  });

  it('lists the calls that there are', () => {
    const listed = Array.from(
      section('## HTTP').matchAll(/^\| `(GET|POST) ([^`? ]+)/gm),
      ([, method, path]) => `${method} ${path}`,
    );
    expect(listed.toSorted()).toEqual(OPERATIONS.map(({ method, path }) => `${method} ${path}`).toSorted());
  });
});
