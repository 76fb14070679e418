/** 2^14 registers: a standard error of 1.04 / sqrt(16,384) = 0.8 %, in 16 KB a column. */
const INDEX_BITS = 14;
/** How many registers there are, a byte each. */
export const REGISTERS = 2 ** INDEX_BITS;

/** The bits of a hash of 32 that are left for the rank: ranks go from 1 to one more than this. */
const RANK_BITS = 32 - INDEX_BITS;

/**
 * How many different hashes there were: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007), read with Ertl's
 * estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6), which Redis
 * uses too: the original one is off by up to 3 % around 2.5 values a register. Why not from a library:
 * docs/decisions/0010-sketches.md.
 */
export class DistinctEstimate {
  readonly #registers: Uint8Array;

  /** Begins with the registers of another estimate, which it takes for its own; by default with none. */
  constructor(registers: Uint8Array = new Uint8Array(REGISTERS)) {
    if (registers.length !== REGISTERS) throw new RangeError(`there are ${REGISTERS} registers`);
    this.#registers = registers;
  }

  /** All that an estimate is: a rank each, in a byte. */
  get registers(): Uint8Array {
    return this.#registers;
  }

  /** Counts all that another estimate has counted: exactly as if it had been counted here. */
  merge(other: DistinctEstimate): void {
    for (let register = 0; register < REGISTERS; register += 1) {
      const rank = other.#registers[register] ?? 0;
      if (rank > (this.#registers[register] ?? 0)) this.#registers[register] = rank;
    }
  }

  /** Counts a hash of 32 bits. */
  add(hash: number): void {
    const register = hash >>> RANK_BITS;
    // The guard bit stops the count of leading zeros where the hash has no bits left.
    const rank = Math.clz32((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))) + 1;
    if (rank > (this.#registers[register] ?? 0)) this.#registers[register] = rank;
  }

  /** The estimate, whole. */
  get value(): number {
    const counts = new Float64Array(RANK_BITS + 2);
    for (const rank of this.#registers) counts[rank] = (counts[rank] ?? 0) + 1;
    const share = (rank: number) => (counts[rank] ?? 0) / REGISTERS;
    let sum = tau(1 - share(RANK_BITS + 1));
    for (let rank = RANK_BITS; rank >= 1; rank -= 1) sum = (sum + share(rank)) / 2;
    return Math.round(REGISTERS / (2 * Math.LN2) / (sum + sigma(share(0))));
  }
}

/** Ertl's σ: what the untouched registers add. Infinite when all are, and the estimate is 0 then. */
function sigma(untouched: number): number {
  if (untouched === 1) return Number.POSITIVE_INFINITY;
  let power = untouched;
  let factor = 1;
  let sum = untouched;
  for (let before = Number.NaN; sum !== before; ) {
    power *= power;
    before = sum;
    sum += power * factor;
    factor += factor;
  }
  return sum;
}

/** Ertl's τ: what the registers that can rise no further add. */
function tau(notFull: number): number {
  if (notFull === 0 || notFull === 1) return 0;
  let root = notFull;
  let factor = 1;
  let sum = 1 - notFull;
  for (let before = Number.NaN; sum !== before; ) {
    root = Math.sqrt(root);
    before = sum;
    factor /= 2;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}
