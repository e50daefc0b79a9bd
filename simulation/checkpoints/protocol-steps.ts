/**
 * The steps of a job with checkpoints, as places that faults are aimed at: each disk call by what it is made on, each
 * message by its kind, and each passage of a barrier, counted over the whole run.
 *
 *     coordinator log open #3          the third entry of the log is made
 *     slot part write #7               a piece of a snapshot file
 *     task.checkpointed sent #2        the second ack leaves the worker
 *     barrier into process #1          an operator is asked for its snapshot
 *
 * So what is enumerated is what a run has: `profile` lists the steps of one without faults, and a new step is aimed at without
 * a word here.
 */
import type { StepFault, StepFaultKind } from '../faults.ts';
import type { Life } from '../life.ts';
import type { DiskPlace } from '../sim-disk-state.ts';
import { kindsOf } from './checkpoint-faults.ts';

/** Calls in a row that fail where a disk fails for a while. */
const failuresInRow = 6;

export class ProtocolSteps {
  /** How often each step was taken. */
  readonly counts = new Map<string, number>();
  /** Faults that came true. */
  readonly struck: StepFault[] = [];
  readonly #open: Set<StepFault>;
  /** Steps that fail so many times more. */
  readonly #failing = new Map<string, number>();

  constructor(faults: readonly StepFault[]) {
    this.#open = new Set(faults);
  }

  /** Counts the step, and answers with what befalls it. */
  take(step: string): StepFaultKind | null {
    const hit = this.counts.get(step) ?? 0;
    this.counts.set(step, hit + 1);
    const left = this.#failing.get(step) ?? 0;
    if (left > 0) {
      this.#failing.set(step, left - 1);
      return 'fails';
    }
    for (const fault of this.#open) {
      if (fault.step !== step || fault.hit !== hit || !kindsOf(step).includes(fault.what)) continue;
      this.#open.delete(fault);
      this.struck.push(fault);
      if (fault.what === 'fails again and again') this.#failing.set(step, failuresInRow - 1);
      return fault.what;
    }
    return null;
  }
}

/** The name of the step that a disk call is. */
export function diskStepOf({ op, path }: DiskPlace, { slotIndex }: Life): string {
  return `${slotIndex === undefined ? 'coordinator' : 'slot'} ${placeOf(path)} ${op}`;
}

const places: readonly (readonly [RegExp, string])[] = [
  [/\/log\/\d+$/, 'log'],
  [/\/log$/, 'log folder'],
  [/\/manifest\.json$/, 'manifest'],
  [/\.snap$/, 'part'],
  [/\/chk-\d+-\d+$/, 'checkpoint folder'],
  [/^\/node\/chk/, 'store'],
  [/\/out[^/]*\/.*probe/, 'sink probe'],
  [/\/out[^/]*\/\.part/, 'hidden output'],
  [/\/out[^/]*\/part/, 'output'],
  [/\/out[^/]*\/?$/, 'output folder'],
  [/\/in/, 'input'],
  [/\/spill/, 'spill'],
];

function placeOf(path: string): string {
  return places.find(([pattern]) => pattern.test(path))?.[1] ?? 'other';
}
