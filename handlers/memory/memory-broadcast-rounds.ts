import type { Audience, BroadcastRounds, RoundBeginning, WantedRound } from '../broadcast-rounds.ts';

interface Round {
  readonly round: number;
  readonly nextAt: number;
  readonly begunBy?: string;
  readonly takenBy?: string;
  readonly followed?: boolean;
  readonly followedBy?: string;
}

/** `BroadcastRounds` in memory. */
export class MemoryBroadcastRounds implements BroadcastRounds {
  readonly #rounds = new Map<string, Round>();

  async begin({ by, now, until, behind, ...audience }: WantedRound): Promise<RoundBeginning> {
    const known = this.#rounds.get(keyOf(audience));
    if (known !== undefined) {
      const { round, nextAt, takenBy, begunBy, followed = false, followedBy } = known;
      const taken = takenBy !== undefined;
      const assured = begunBy === by || followedBy === by;
      const isNext = nextAt <= now && (behind === undefined || behind === round);
      const isUnsent = begunBy === by && !taken;
      if (!isUnsent && (assured || !isNext)) return { begun: false, round, nextAt, taken, followed, assured };
    }
    const round = (known?.round ?? 0) + 1;
    const { followedBy } = known ?? {};
    this.#rounds.set(keyOf(audience), {
      round,
      nextAt: until,
      begunBy: by,
      ...(followedBy === undefined ? {} : { followedBy }),
    });
    return { begun: true, round };
  }

  async follow(audience: Audience, round: number, by: string): Promise<void> {
    this.#change(audience, round, (known) => ({ ...known, followed: true, followedBy: by }));
  }

  async take(audience: Audience, by: string, nextAt: number): Promise<number | undefined> {
    const known = this.#rounds.get(keyOf(audience)) ?? { round: 0, nextAt };
    if (known.takenBy !== undefined && known.takenBy !== by) return undefined;
    this.#rounds.set(keyOf(audience), { ...known, takenBy: by, nextAt });
    return known.round;
  }

  async lengthen(audience: Audience, round: number, milliseconds: number): Promise<boolean> {
    return this.#change(audience, round, (known) => ({ ...known, nextAt: known.nextAt + milliseconds }));
  }

  #change(audience: Audience, round: number, change: (known: Round) => Round): boolean {
    const known = this.#rounds.get(keyOf(audience));
    if (known?.round !== round) return false;
    this.#rounds.set(keyOf(audience), change(known));
    return true;
  }
}

function keyOf({ topic, job }: Audience): string {
  return JSON.stringify([topic, job]);
}
