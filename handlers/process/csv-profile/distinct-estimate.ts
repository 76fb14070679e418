/** 2^14 registers: a standard error of 1.04 / sqrt(16,384) = 0.8 %, in 16 KB a column. */
const INDEX_BITS = 14;
const REGISTERS = 2 ** INDEX_BITS;

/** The bias of the harmonic mean for this many registers (Flajolet et al., figure 3). */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** Below this the count of untouched registers is the better estimate (Flajolet et al., figure 3). */
const LINEAR_COUNTING_LIMIT = 2.5 * REGISTERS;

/**
 * How many different hashes there were: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007). Why not from a
 * library: docs/decisions/0010-sketches.md.
 */
export class DistinctEstimate {
  readonly #registers = new Uint8Array(REGISTERS);

  /** Counts a hash of 32 bits. */
  add(hash: number): void {
    const register = hash >>> (32 - INDEX_BITS);
    // The guard bit stops the count of leading zeros where the hash has no bits left.
    const rank = Math.clz32((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))) + 1;
    if (rank > (this.#registers[register] ?? 0)) this.#registers[register] = rank;
  }

  /** The estimate, whole. */
  get value(): number {
    let sum = 0;
    let untouched = 0;
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) untouched += 1;
    }
    const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
    if (raw <= LINEAR_COUNTING_LIMIT && untouched > 0) {
      return Math.round(REGISTERS * Math.log(REGISTERS / untouched));
    }
    // Different values that share a hash of 32 bits: at tens of millions they begin to matter.
    return Math.round(-(2 ** 32) * Math.log(1 - Math.min(raw, 2 ** 32 - 1) / 2 ** 32));
  }
}
