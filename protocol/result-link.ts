import * as v from 'valibot';
import { TimeSchema } from './job.ts';

export { RESULT_LINK_TYPE } from './result-link-type.ts';

/** The answer in `RESULT_LINK_TYPE`: where the result can be downloaded, without further credentials, until when. */
export const ResultLinkSchema = v.object({ url: v.string(), expiresAt: TimeSchema });

/** See `ResultLinkSchema`. */
export type ResultLink = v.InferOutput<typeof ResultLinkSchema>;
