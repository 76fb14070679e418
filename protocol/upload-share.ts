/**
 * The part of `progress.fraction` that the upload takes where it reports how far it is (the wire contract, "One
 * timeline"; docs/decisions/0011-one-timeline.md). The work takes the rest.
 */
export const UPLOAD_SHARE = 0.5;
