/**
 * What `jobwire/protocol` offers: all of the wire contract, for a server or a client of one's own
 * (test/packaging/entries.test.ts sees that no file is forgotten).
 */
export * from '../../protocol/broadcast.ts';
export * from '../../protocol/bye.ts';
export * from '../../protocol/error-codes.ts';
export * from '../../protocol/frame-error.ts';
export * from '../../protocol/frame-limits.ts';
export * from '../../protocol/frames.ts';
export * from '../../protocol/head.ts';
export * from '../../protocol/http.ts';
export * from '../../protocol/invalid.ts';
export * from '../../protocol/job.ts';
export * from '../../protocol/kinds.ts';
export * from '../../protocol/light-reader.ts';
export * from '../../protocol/result-link.ts';
export * from '../../protocol/result-link-type.ts';
export * from '../../protocol/size.ts';
export * from '../../protocol/status.ts';
export * from '../../protocol/topic.ts';
export * from '../../protocol/upload.ts';
export * from '../../protocol/upload-limits.ts';
export * from '../../protocol/upload-share.ts';
export * from '../../protocol/watchers.ts';
