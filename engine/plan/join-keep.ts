/** How a join keeps rows of both sides, in a job that streams. */
export interface KeptRows {
  /** How long rows can find partners after they have come, by the clock; null: for ever. */
  readonly ttlMs: number | null;
}
