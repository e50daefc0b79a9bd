/**
 * What is known of a running job: its regions and their attempts, as plain data, and how to find one. How they
 * change is in region-state.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { PartitionBytes } from '../../engine/plan/map-output-read.ts';
import type { AdaptivePlan } from '../adaptive/adapt-plan.ts';
import type { Region } from '../scheduler/regions.ts';

/** What a task's sink writer wrote. */
export interface TaskWrite {
  readonly taskId: string;
  readonly write: Json;
}

/** A region's tasks at work, or being stopped. */
export interface Attempt {
  readonly number: number;
  /** Task id → slot. */
  readonly slots: Readonly<Record<string, number>>;
  readonly unfinished: ReadonlySet<string>;
  readonly writes: readonly TaskWrite[];
  /** Of the tasks that have finished, by task. */
  readonly partitionBytes: Readonly<Record<string, PartitionBytes>>;
  readonly isStopping: boolean;
  /** Whether it was started beside another one that is slow. */
  readonly isCopy: boolean;
}

export interface RegionState {
  readonly attempts: readonly Attempt[];
  /** Attempts so far. */
  readonly attemptCount: number;
  /** Attempts that failed, or whose map output was lost. */
  readonly failureCount: number;
  /** Of these, how often the thread died. */
  readonly deathCount: number;
  /** Copies so far, and those of them that came in first. */
  readonly copyCount: number;
  readonly copyWonCount: number;
  /** The slot that failed last. */
  readonly avoidSlot: number | null;
  /** The attempt whose work counts. */
  readonly done: Pick<Attempt, 'number' | 'writes' | 'partitionBytes'> | null;
}

/** What is known of a job's tasks: before the first one starts, and where that is changed while it runs. */
export interface RunPlan {
  /** In the order of their stages. */
  readonly regions: readonly Region[];
  readonly slotCount: number;
  /** Task id → the slot that it has where nothing else counts. */
  readonly homes: Readonly<Record<string, number>>;
  /** The graph that regions and homes are of, where it may be changed; null where it stays. */
  readonly adaptive: AdaptivePlan | null;
  /**
   * Whether all regions run at once, each task at its home, and slots are shared: of a stream, where none of them need
   * ever end. @defaultValue false: a region has its slots for itself
   */
  readonly runsTogether?: boolean;
}

export interface RunningJob {
  readonly plan: RunPlan;
  readonly regions: ReadonlyMap<string, RegionState>;
  /** Regions that are to go on from a checkpoint (region-restart.ts); null while none is. */
  readonly restart: RegionRestart | null;
}

export interface RegionRestart {
  readonly regionIds: ReadonlySet<string>;
  /** Whether the restart strategy's delay is over. */
  readonly isDue: boolean;
  /** Whether no checkpoint is under way. */
  readonly isQuiet: boolean;
  /** Whether what they go on from is being made ready. */
  readonly isPreparing: boolean;
}

export type RegionEffect = {
  readonly kind: 'deploy' | 'stopAttempt';
  readonly regionId: string;
  readonly attempt: number;
};

/** All that is left of these is what they go on from, which is to be made ready. */
export interface PrepareRegions {
  readonly kind: 'prepareRegions';
  readonly regionIds: readonly string[];
}

export interface RunStep {
  readonly run: RunningJob;
  readonly effects: readonly (RegionEffect | PrepareRegions)[];
}

/** How often a region may fail before the job does: one attempt, and four more. */
export const retriesMax = 4;

/** Who ends two threads in a row would end a third one, and each takes all that its slot has in memory. */
export const deathsMax = 2;

export const initialRegion: RegionState = {
  attempts: [],
  attemptCount: 0,
  failureCount: 0,
  deathCount: 0,
  copyCount: 0,
  copyWonCount: 0,
  avoidSlot: null,
  done: null,
};

export function isRunDone({ regions }: RunningJob): boolean {
  return [...regions.values()].every(
    ({ done, attempts }) => done !== null && attempts.length === 0,
  );
}

/** What the attempts that count have written. */
export function writesOf({ regions }: RunningJob): TaskWrite[] {
  return [...regions.values()].flatMap(({ done }) => done?.writes ?? []);
}

export function regionOf({ plan }: RunningJob, taskId: string): Region {
  const region = plan.regions.find(({ taskIds }) => taskIds.includes(taskId));
  assert(region !== undefined, 'a task belongs to a region of its job');
  return region;
}

export function stateOf({ regions }: RunningJob, regionId: string): RegionState {
  return regions.get(regionId) ?? initialRegion;
}

/** The attempt, unless it is gone or on its way out. */
export function liveAttempt(state: RegionState, number: number): Attempt | null {
  return state.attempts.find((one) => one.number === number && !one.isStopping) ?? null;
}

export function changed(run: RunningJob, id: string, part: Partial<RegionState>): RunningJob {
  const regions = new Map(run.regions);
  regions.set(id, { ...stateOf(run, id), ...part });
  return { ...run, regions };
}
