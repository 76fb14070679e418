/** The newest state that a peer has of a job. */
export interface Head {
  readonly epoch: string;
  readonly seq: number;
}

/**
 * Whether `candidate` is newer than `known`: a larger `seq` of the same epoch, or a later epoch (epochs are
 * ULIDs, so they sort by the time of their making).
 */
export function isNewer(candidate: Head, known: Head | undefined): boolean {
  return (
    !known || (candidate.epoch === known.epoch ? candidate.seq > known.seq : candidate.epoch > known.epoch)
  );
}

/** The entity tag of a job's state, quotes included: `"<epoch>.<seq>"`. */
export function entityTagOf(head: Head): string {
  return `"${head.epoch}.${head.seq}"`;
}
