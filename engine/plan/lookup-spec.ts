/** What a lookup is told: which column is asked for, how often and how long, and what is remembered. */
export interface LookupSpec {
  /** The column whose values are asked for. */
  readonly key: string;
  /** `inner` leaves out rows that nothing was found for; `left` gives them nulls. */
  readonly type: 'left' | 'inner';
  /** Whether rows keep their order. */
  readonly isOrdered: boolean;
  /** How long a question may take. */
  readonly timeoutMs: number;
  /** How often a question is asked before its failure ends the job. */
  readonly attemptsMax: number;
  /** Between the first two attempts; doubled after each. */
  readonly retryDelayMs: number;
  /** Questions of a task that are under way at once. */
  readonly capacity: number;
  readonly cache: LookupCacheSpec;
}

export interface LookupCacheSpec {
  /** Answers that are remembered; 0: none. */
  readonly entriesMax: number;
  readonly ttlMs: number;
  /** The same for a key that nothing was found for. */
  readonly missingTtlMs: number;
  /** Answers are forgotten up to this part of their time earlier, by key, so that not all are asked for at once. */
  readonly jitter: number;
}
