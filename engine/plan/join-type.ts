/**
 * Join types: which rows a join gives out, for the side that is kept in memory (build) and the one that
 * goes past it (probe).
 *
 *     inner   pairs                              semi   rows of the left side that have a partner
 *     left    pairs, left rows without one       anti   rows of the left side that have none
 *     right   pairs, right rows without one      full   pairs, rows of both sides without one
 */

export type JoinType = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';
/** One of the two inputs of a join. */
export type JoinSide = 'left' | 'right';

export const joinTypes: readonly JoinType[] = ['inner', 'left', 'right', 'full', 'semi', 'anti'];

/** Which rows of a side come alone: none, those with a partner, those without. */
export type AloneRows = 'none' | 'matched' | 'unmatched';

export interface JoinRows {
  /** Whether pairs are given out. */
  readonly hasPairs: boolean;
  readonly probe: AloneRows;
  readonly build: AloneRows;
}

/** What a join gives out, by its type and by which of its sides is the build side. */
export function joinRowsOf(type: JoinType, build: JoinSide): JoinRows {
  const left = type === 'semi' ? 'matched' : isOuter(type, 'left') ? 'unmatched' : 'none';
  const right = isOuter(type, 'right') ? 'unmatched' : 'none';
  const hasPairs = !isOneSided(type);
  return build === 'right'
    ? { hasPairs, probe: left, build: right }
    : { hasPairs, probe: right, build: left };
}

/** Whether only columns of the left side are given out. */
export function isOneSided(type: JoinType): boolean {
  return type === 'semi' || type === 'anti';
}

/** Whether a side's columns are null in rows of the other side that have no partner. */
export function becomesNull(type: JoinType, side: JoinSide): boolean {
  return type === 'full' || type === (side === 'left' ? 'right' : 'left');
}

/** Whether rows of a side that have no partner are given out. */
export function isOuter(type: JoinType, side: JoinSide): boolean {
  return type === 'full' || type === side || (type === 'anti' && side === 'left');
}

/** Whether a join of rows that are only added only adds rows, in whatever turn they come. */
export function onlyAdds(type: JoinType): boolean {
  return type === 'inner' || type === 'semi';
}
