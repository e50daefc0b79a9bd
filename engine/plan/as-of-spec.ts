/** What operators of an as-of join are told: each left row meets the version of its key that was valid at its time. */
export interface AsOfSpec {
  /** `left`: rows without a version come out as well. */
  readonly type: 'inner' | 'left';
  /** Columns of either input, whose names are different; as many, and of the same types. */
  readonly leftKeys: readonly string[];
  readonly rightKeys: readonly string[];
  readonly leftTime: string;
  readonly rightTime: string;
  /** How much older than its row a version may be; null: as old as it likes. */
  readonly toleranceMs: number | null;
}
