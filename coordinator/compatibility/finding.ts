/** What is found of each state when a checkpoint and a job are compared, and what they are compared by. */
import type { DeclaredOperator } from '../../engine/plan/declared-state.ts';
import type { OperatorDescription } from '../checkpoint/checkpoint-manifest.ts';

export type Verdict =
  | 'same'
  | 'changed'
  | 'migrated'
  | 'new'
  | 'needs migration'
  | 'incompatible'
  | 'dropped';

/** One state of one operator. */
export interface Finding {
  readonly operatorId: string;
  /** The name of a state, or what people call what the operator keeps. */
  readonly state: string;
  readonly verdict: Verdict;
  /** In words: what is different; empty where nothing is. */
  readonly text: string;
  /** What to write, in full sentences; empty where nothing is to be done. */
  readonly hint: string;
}

/** What a job declares: its logical graph, and its plan. */
export interface DeclaredJob {
  readonly declared: readonly DeclaredOperator[];
  readonly operators: readonly OperatorDescription[];
}
