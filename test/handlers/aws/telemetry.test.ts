import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog, createMeter, redact } from '../../../handlers/aws/telemetry.ts';
import { ChangeRefusedError, JobExistsError } from '../../../handlers/errors.ts';
import { sampleRecord } from '../../conformance/sample-jobs.ts';

/** A text of the form of a JSON Web Token; none of anybody's. */
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.abc_-123';
const SIGNED =
  'https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2Fx&X-Amz-Signature=0123abcd&X-Amz-Expires=60';

afterEach(() => {
  vi.restoreAllMocks();
});

/** The lines that the process writes from now on. Powertools writes past the global console. */
function captureOutput(): string[] {
  const lines: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      lines.push(String(chunk).trimEnd());
      return true;
    });
  }
  return lines;
}

describe('the log', () => {
  it('holds no secret, wherever it was put', () => {
    const lines = captureOutput();
    const log = createLog('api');
    log.info('a job was made', {
      job: 'job_1',
      token: 'plain-secret',
      nested: { Authorization: 'plain-secret' },
    });
    log.warn(`came with ${TOKEN}`, { presignedUrl: SIGNED, detail: `see ${SIGNED}` });
    log.error('failed', {
      error: new Error(`ticket ${TOKEN} at wss://x/live?ticket=plain-secret&job=job_2`),
    });
    const text = lines.join('\n');
    expect(lines).toHaveLength(3);
    expect(text).not.toContain('plain-secret');
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain('0123abcd');
    expect(text).not.toContain('AKIA');
    expect(text).toContain('job_1');
    expect(text).toContain('job_2');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'INFO',
      message: 'a job was made',
      service: 'api',
      job: 'job_1',
      token: '[redacted]',
    });
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ level: 'ERROR', error: { name: 'Error' } });
  });

  it('holds no whole job where a change of one was refused', () => {
    const lines = captureOutput();
    const record = { ...sampleRecord(), ranges: [[4_711, 42]] as const };
    for (const error of [new ChangeRefusedError('status', record, undefined), new JobExistsError(record)]) {
      createLog('profile').warn('a write was refused', { error });
      expect(error.current).toBe(record);
    }
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toContain(record.job.id);
      expect(line).not.toContain('4711');
      expect(line).not.toContain('"current"');
    }
    expect(lines[0]).toContain('"reason":"status"');
  });

  it('redacts by name and by form, and nothing else', () => {
    expect(redact('socketUrl', 'x')).toBe('[redacted]');
    expect(redact('ticket', undefined)).toBeUndefined();
    expect(redact('job', 'job_1')).toBe('job_1');
    expect(redact('seq', 7)).toBe(7);
  });
});

describe('the meter', () => {
  it('publishes what was counted once, and nothing for nothing', () => {
    const lines = captureOutput();
    const meter = createMeter('publish');
    meter.publish();
    expect(lines).toEqual([]);
    meter.count('FramesPosted', 2);
    meter.count('FramesPosted', 3);
    meter.milliseconds('CommitToPost', 12.5);
    meter.publish();
    meter.publish();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      service: 'publish',
      FramesPosted: [2, 3],
      CommitToPost: 12.5,
      _aws: { CloudWatchMetrics: [{ Namespace: 'Jobwire' }] },
    });
  });
});
