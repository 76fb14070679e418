import { expect, it } from 'vitest';
import { belongsTo } from '../../command-line/api-client.ts';

it.each([
  ['https://api.example.com', 'https://api.example.com/jobs', true],
  ['https://api.example.com/', 'https://api.example.com/jobs', true],
  ['https://example.com/stage', 'https://example.com/stage/jobs?limit=1', true],
  ['https://example.com/stage', 'https://example.com/stage', true],
  ['https://example.com/stage', 'https://example.com/stage-two/jobs', false],
  ['https://api.example.com', 'https://api.example.com.evil.example/jobs', false],
  ['https://api.example.com', 'http://api.example.com/jobs', false],
  ['http://127.0.0.1:84', 'http://127.0.0.1:8401/bucket', false],
  ['http://127.0.0.1:84', 'http://127.0.0.1:84@evil.example/', false],
])('the token for %s goes to %s: %s', (api, url, expected) => expect(belongsTo(api, url)).toBe(expected));
