import type { Kind } from '../../protocol/kinds.ts';
import { csvProfile } from './csv-profile/csv-profile.ts';
import type { Processor } from './processor.ts';

/** The processor of each kind. A kind without one does not compile. */
export const PROCESSORS: Readonly<Record<Kind, Processor>> = {
  'csv-profile': csvProfile,
};
