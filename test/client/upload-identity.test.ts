import { expect, it } from 'vitest';
import { type UploadCall, uploadIdentityOf } from '../../client/upload-identity.ts';

const MIB = 1024 ** 2;
const { signal } = new AbortController();
const input = { kind: 'csv-profile', fileName: 'rows.csv', contentType: 'text/csv', size: 5 * MIB } as const;
const call = { base: 'https://api.example', subject: 'alice', input, idempotencyKey: undefined };

const tiny = new File(['a,b'], 'rows.csv', { lastModified: 1 });

function fileOf(change: (bytes: Uint8Array) => void = () => {}, lastModified = 1): File {
  const bytes = new Uint8Array(5 * MIB);
  change(bytes);
  return new File([bytes], 'rows.csv', { lastModified });
}

async function identityOf(
  changes: Partial<UploadCall> = {},
  file: Blob = fileOf(),
): Promise<string | undefined> {
  return await uploadIdentityOf(file, { ...call, ...changes }, signal);
}

it('is the same for the same call with the same file', async () => {
  expect(await identityOf()).toBeDefined();
  expect(await identityOf()).toBe(await identityOf());
});

it.each<Partial<UploadCall>>([
  { base: 'https://other.example' },
  { subject: 'bob' },
  { subject: undefined },
  { idempotencyKey: 'a key' },
  { input: { ...input, tags: ['one'] } },
  { input: { ...input, upload: 'multipart' } },
  { input: { ...input, fileName: 'other.csv' } },
  { input: { ...input, contentType: 'text/plain' } },
  { input: { ...input, size: 1 } },
])('is another for another call: %o', async (changes) => {
  expect(await identityOf(changes, tiny)).not.toBe(await identityOf({}, tiny));
});

it.each([0, MIB - 1, 2.5 * MIB, 5 * MIB - 1])(
  'is another for a change at byte %d of five MiB',
  async (position) => {
    const changed = fileOf((bytes) => bytes.fill(1, position, position + 1));
    expect(await identityOf({}, changed)).not.toBe(await identityOf());
  },
);

it.each([1, 1.5 * MIB, 2.5 * MIB])('looks at all of a file of %d bytes', async (size) => {
  const bytes = new Uint8Array(size);
  const before = await identityOf({}, new File([bytes], 'rows.csv', { lastModified: 1 }));
  for (const position of [0, Math.floor(size / 2), size - 1]) {
    const changed = new Uint8Array(size).fill(1, position, position + 1);
    expect(await identityOf({}, new File([changed], 'rows.csv', { lastModified: 1 }))).not.toBe(before);
  }
});

it('is another for another date', async () => {
  expect(await identityOf({}, fileOf(undefined, 2))).not.toBe(await identityOf());
});

it('is none for a Blob, unless the caller vouches for it', async () => {
  const blob = new Blob(['a,b']);
  expect(await identityOf({}, blob)).toBeUndefined();
  expect(await identityOf({ idempotencyKey: 'a key' }, blob)).toBeDefined();
});
