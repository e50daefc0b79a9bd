/**
 * What follows from how many replicas of a block there are: how urgent a copy is, which one is too many, and when a damaged one may go.
 *
 *     live 0, one on a datanode that is leaving ─▶ only-one      live < wanted / 3 ─▶ very-few      enough, on one rack ─▶ misplaced
 *     live 1                                    ─▶ only-one      live < wanted     ─▶ few           none, some damaged  ─▶ none-whole
 *
 * - A damaged replica, or one of an old stamp, never counts, and is never a source: it is replaced from a live one, and never the other way round.
 * - It goes when there are enough live ones; with a live one already where nobody else has room for the copy that is to take its place. Never as
 *   long as there is none: what is left of the block may be in it.
 * - What is too many goes so that as many racks as possible keep one.
 *
 * @see Apache Hadoop HDFS, `LowRedundancyBlocks.getPriority`, `BlockPlacementPolicyDefault.chooseReplicaToDelete`
 */
import type { ReplicaPlace } from './replica-map.ts';

/** Most urgent first. */
export const urgencies = ['only-one', 'very-few', 'few', 'misplaced', 'none-whole'] as const;

export type Urgency = (typeof urgencies)[number];

export interface Copies {
  readonly wanted: number;
  /** On datanodes that stay. */
  readonly live: number;
  /** On datanodes that are leaving: they are sources, and no more. */
  readonly leaving: number;
  /** Damaged, cut short, or of an old stamp. */
  readonly wrong: number;
  /** Racks that live ones are on. */
  readonly racks: number;
  /** Racks that the cluster has. */
  readonly racksThere: number;
}

/** Null when it has what it should have, or when nothing is left that a copy could be made of. */
export function urgencyOf({
  wanted,
  live,
  leaving,
  wrong,
  racks,
  racksThere,
}: Copies): Urgency | null {
  if (live >= wanted) return racks >= Math.min(wanted, racksThere, 2) ? null : 'misplaced';
  if (live === 0) {
    if (leaving > 0) return 'only-one';
    return wrong > 0 ? 'none-whole' : null;
  }
  if (live === 1) return 'only-one';
  return live * 3 < wanted ? 'very-few' : 'few';
}

/** Whether the replicas that are wrong may be deleted. */
export function mayDeleteWrong(copies: Copies, hasTarget: boolean): boolean {
  if (copies.live === 0) return false;
  return copies.live >= copies.wanted || !hasTarget;
}

/** A live replica, as far as it matters for being too many. */
export interface Surplus {
  readonly place: ReplicaPlace;
  readonly rack: string;
  /** Silent for a while: it may be lost in any case. */
  readonly isStale: boolean;
  readonly freeBytes: number;
}

/** Those that go: from racks that have several, as long as there are such; of these who is silent, then who has least room. */
export function chooseSurplus(live: readonly Surplus[], wanted: number): readonly ReplicaPlace[] {
  const gone: ReplicaPlace[] = [];
  let kept = [...live].sort(firstToGo);
  while (kept.length > wanted) {
    const perRack = Map.groupBy(kept, ({ rack }) => rack);
    const isShared = ({ rack }: Surplus) => (perRack.get(rack)?.length ?? 0) > 1;
    const next = kept.find(isShared) ?? kept[0];
    if (next === undefined) break;
    gone.push(next.place);
    kept = kept.filter((one) => one !== next);
  }
  return gone;
}

/** The name last, so that the same is chosen each time. */
function firstToGo(one: Surplus, other: Surplus): number {
  if (one.isStale !== other.isStale) return one.isStale ? -1 : 1;
  if (one.freeBytes !== other.freeBytes) return one.freeBytes - other.freeBytes;
  return one.place.datanodeId < other.place.datanodeId ? -1 : 1;
}
