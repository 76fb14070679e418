import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asyncApiDocument } from './asyncapi.ts';
import { openApiDocument } from './openapi.ts';

/** `npm run documents`: writes what stands in `docs/` of the contract's schemas. A test fails where it is forgotten. */
for (const [name, document] of [
  ['asyncapi.json', asyncApiDocument()],
  ['openapi.json', openApiDocument()],
] as const) {
  const file = fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
}
