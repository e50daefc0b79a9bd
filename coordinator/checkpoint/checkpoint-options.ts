/**
 * When checkpoints are made, and how many may fail. Names and meanings are those of Flink's `CheckpointConfig`.
 *
 * Before: cli/engine-flags.ts. After: coordinator/checkpoint/checkpoint-state.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { CheckpointMode } from '../../engine/contracts/checkpoint-mode.ts';
import { type OptionRange, rangeProblem } from './option-range.ts';

export interface CheckpointOptions {
  /**
   * Milliseconds between the starts of two checkpoints, from 10 on; null: only savepoints, and the last one of a job
   * that ends. @defaultValue 10,000
   */
  readonly intervalMs: number | null;
  /** Milliseconds from the end of one to the start of the next. Above 0 there is one at a time. @defaultValue 0 */
  readonly minPauseMs: number;
  /** Milliseconds after which one that not all tasks have answered is given up. @defaultValue 600,000 */
  readonly timeoutMs: number;
  /** How many may be under way, 1 to 16; a savepoint is never held back by it. @defaultValue 1 */
  readonly inFlightMax: number;
  /** How many may fail one after the other before the attempt does. @defaultValue 0 */
  readonly failuresMax: number;
  /** How barriers go through the job; those of savepoints are aligned always. @defaultValue 'aligned' */
  readonly mode: CheckpointMode;
  /**
   * Of aligned ones: milliseconds after which a task in which a barrier waits has it overtake what it waits for; null: never.
   * @defaultValue null
   */
  readonly alignmentTimeoutMs: number | null;
}

const checkpointDefaults: CheckpointOptions = {
  intervalMs: 10_000,
  minPauseMs: 0,
  timeoutMs: 600_000,
  inFlightMax: 1,
  failuresMax: 0,
  mode: 'aligned',
  alignmentTimeoutMs: null,
};

const dayMs = 86_400_000;
const ranges: Readonly<Record<Exclude<keyof CheckpointOptions, 'mode'>, OptionRange>> = {
  intervalMs: { min: 10, max: 365 * dayMs },
  minPauseMs: { min: 0, max: 365 * dayMs },
  timeoutMs: { min: 10, max: 365 * dayMs },
  inFlightMax: { min: 1, max: 16 },
  failuresMax: { min: 0, max: 1_000_000 },
  alignmentTimeoutMs: { min: 0, max: dayMs },
};

/**
 * Options with what was not given filled in.
 * @throws CHECKPOINT_OPTION_INVALID
 */
export function checkpointOptions(given: Partial<CheckpointOptions> = {}): CheckpointOptions {
  const options = { ...checkpointDefaults, ...given };
  for (const name of Object.keys(ranges) as (keyof typeof ranges)[]) {
    const value = options[name];
    const problem = value === null ? null : rangeProblem(name, value, ranges[name]);
    if (problem === null) continue;
    throw invalid(
      name,
      problem,
      'Times are in milliseconds; leave the option out for its default.',
    );
  }
  if (options.alignmentTimeoutMs !== null && options.mode !== 'aligned') {
    const problem = `option "alignmentTimeoutMs" is of use to aligned checkpoints, and these are ${options.mode}`;
    throw invalid('alignmentTimeoutMs', problem, 'Leave it out, or the mode.');
  }
  return options;
}

/** Whether checkpoints may have rows that were on their way to operators. */
export function mayKeepRows({ mode, alignmentTimeoutMs }: CheckpointOptions): boolean {
  return mode === 'unaligned' || alignmentTimeoutMs !== null;
}

function invalid(option: keyof CheckpointOptions, problem: string, hint: string) {
  return typedError('CHECKPOINT_OPTION_INVALID', problem, { hint, details: { option } });
}
