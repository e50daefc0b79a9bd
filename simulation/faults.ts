/**
 * Faults are data, made before the run from its seed: so they can be printed, replayed and left out
 * one by one. Each seed draws its own mix (some kinds not at all, some often): a run with everything
 * at once hides what a run with one kind shows.
 *
 * Crashes are aimed at disk calls as well as at times: 30,000 green seeds with timed ones had passed
 * over bugs that this found at once. All faults are over at `untilMs`; then liveness is judged.
 */
import type { Rng } from '../base/env/rng.ts';
import type { CrashCause } from './life.ts';
import type { ClockFault } from './sim-time.ts';

export type Fault =
  | {
      readonly kind: 'crash';
      readonly atMs: number;
      readonly node: string;
      readonly downMs: number;
      readonly cause: CrashCause;
    }
  | {
      readonly kind: 'crashAtDiskCall';
      readonly node: string;
      /** Number of the call over the disk's life. */
      readonly call: number;
      /** Counts only calls on paths below this folder. */
      readonly below?: string;
      readonly when: 'before' | 'after';
      readonly downMs: number;
      readonly cause: CrashCause;
    }
  | { readonly kind: 'fsyncFails'; readonly node: string; readonly fsync: number }
  | {
      readonly kind: 'diskCallFails';
      readonly node: string;
      /** Number of the call over the disk's life. */
      readonly call: number;
      /** Counts only calls on paths below this folder. */
      readonly below?: string;
      /** Calls in a row that fail. */
      readonly times: number;
      /** For want of space, so only those that need some; else of an I/O error. */
      readonly isFull: boolean;
    }
  | {
      readonly kind: 'cut';
      readonly atMs: number;
      readonly forMs: number;
      /** Absent: cut all the time. Else cut again and again, each time up to this long. */
      readonly flapMsMax?: number;
      /** This side against all others. */
      readonly side: readonly string[];
      readonly direction: 'both' | 'out' | 'in';
    }
  | { readonly kind: 'pause'; readonly atMs: number; readonly forMs: number; readonly node: string }
  | {
      readonly kind: 'slowNet';
      readonly atMs: number;
      readonly forMs: number;
      readonly extraMs: number;
    }
  | {
      readonly kind: 'lossyNet';
      readonly atMs: number;
      readonly forMs: number;
      readonly chance: number;
    }
  | { readonly kind: 'breakConnections'; readonly atMs: number; readonly node: string }
  | JobFault;

/** What befalls a job and not a machine: carried out by the scenario that runs one. */
export type JobFault =
  | { readonly kind: 'cancelJob'; readonly atMs: number }
  /** Counts from when a run of the job first gets into that state. */
  | { readonly kind: 'cancelInState'; readonly state: string; readonly afterMs: number }
  /** Befalls one attempt of a task, when that comes to pass (simulation/task-faults.ts). */
  | {
      readonly kind: 'taskFault';
      readonly vertexId: string;
      readonly taskIndex: number;
      readonly attempt: number;
      readonly what:
        | 'failsBefore'
        | 'failsAfter'
        | 'outputRemoved'
        | 'outputTorn'
        | 'slow'
        | 'hangs'
        | 'diesBefore'
        | 'diesAfter';
    }
  | StepFault
  | { readonly kind: 'slotDies'; readonly atMs: number; readonly slot: number }
  | {
      readonly kind: 'slowSlot';
      readonly atMs: number;
      readonly slot: number;
      readonly by: number;
    };

/** Befalls a job with checkpoints at a step of the protocol (simulation/checkpoints). */
export interface StepFault {
  readonly kind: 'atStep';
  /** As simulation/checkpoints/protocol-steps.ts names it. */
  readonly step: string;
  /** How often the step was taken before. */
  readonly hit: number;
  readonly what: StepFaultKind;
}

/** `full`, `fails` and `tears`: of disk calls; `lost`, `doubled` and `late`: of messages. */
export type StepFaultKind =
  | `${'coordinator' | 'worker' | 'slot' | 'machine'} ${'before' | 'after'}`
  | `${'pause' | 'long pause'} ${'before' | 'after'}`
  | 'fails'
  | 'fails again and again'
  | 'full'
  | 'tears'
  | 'lost'
  | 'doubled'
  | 'late';

/** Stands for whichever node leads when the fault is due. */
export const theLeader = '@leader';

export interface FaultPlan {
  readonly clocks: Readonly<Record<string, ClockFault>>;
  readonly faults: readonly Fault[];
}

export interface FaultPlanOptions {
  /** Nodes that crash, pause and are cut off. */
  readonly nodes: readonly string[];
  /** Nodes whose disk calls are aimed at. */
  readonly diskNodes: readonly string[];
  /** All faults are over by then. */
  readonly untilMs: number;
  /** Largest rate error of a clock. */
  readonly driftMax: number;
}

type Drawer = (draw: FaultDraw) => Fault;

/** What each kind of fault draws from. */
interface FaultDraw {
  readonly rng: Rng;
  readonly options: FaultPlanOptions;
  readonly atMs: number;
  /** Time left until all faults must be over. */
  readonly leftMs: number;
}

type DrawnKind = Exclude<Fault['kind'], JobFault['kind'] | 'diskCallFails'>;

const drawers: Readonly<Record<DrawnKind | 'flap', Drawer>> = {
  crash: (draw) => ({
    kind: 'crash',
    atMs: draw.atMs,
    node: anyNode(draw),
    downMs: downMs(draw),
    cause: causeOf(draw),
  }),
  crashAtDiskCall: (draw) => ({
    kind: 'crashAtDiskCall',
    node: oneOf(draw.rng, draw.options.diskNodes),
    // Squared: most aim at the first calls, where files are created.
    call: Math.floor(draw.rng.float() ** 2 * 400),
    when: draw.rng.int(0, 2) === 0 ? 'before' : 'after',
    downMs: 100 + draw.rng.int(0, 1_000),
    cause: causeOf(draw),
  }),
  fsyncFails: ({ rng, options }) => ({
    kind: 'fsyncFails',
    node: oneOf(rng, options.diskNodes),
    fsync: rng.int(0, 60),
  }),
  cut: (draw) => ({
    kind: 'cut',
    atMs: draw.atMs,
    forMs: lasting(draw, 6_000),
    side: sideOf(draw),
    direction: oneOf(draw.rng, ['both', 'both', 'out', 'in'] as const),
  }),
  flap: (draw) => ({
    kind: 'cut',
    atMs: draw.atMs,
    forMs: lasting(draw, 9_000),
    flapMsMax: draw.rng.int(200, 3_000),
    side: sideOf(draw),
    direction: oneOf(draw.rng, ['both', 'out', 'in'] as const),
  }),
  pause: (draw) => ({
    kind: 'pause',
    atMs: draw.atMs,
    forMs: lasting(draw, 5_000),
    node: anyNode(draw),
  }),
  slowNet: (draw) => ({
    kind: 'slowNet',
    atMs: draw.atMs,
    forMs: lasting(draw, 5_000),
    extraMs: draw.rng.int(20, 1_500),
  }),
  lossyNet: (draw) => ({
    kind: 'lossyNet',
    atMs: draw.atMs,
    forMs: lasting(draw, 8_000),
    chance: draw.rng.float() * 0.3,
  }),
  breakConnections: (draw) => ({
    kind: 'breakConnections',
    atMs: draw.atMs,
    node: anyNode(draw),
  }),
};

/** Draws clocks and faults for one run. */
export function drawFaultPlan(rng: Rng, options: FaultPlanOptions): FaultPlan {
  const clocks: Record<string, ClockFault> = {};
  for (const node of options.nodes) {
    // Extremes are where margins fail: half of the clocks run as wrong as they may.
    const rate = rng.int(0, 2) === 0 ? rng.float() * 2 - 1 : rng.int(0, 2) * 2 - 1;
    clocks[node] = { skewMs: rng.int(-60_000, 60_000), drift: rate * options.driftMax };
  }
  // Half of the faults gather around three moments: many bugs need two faults close together.
  const latestMs = options.untilMs - 1_000;
  const moments = [rng.int(0, latestMs), rng.int(0, latestMs), rng.int(0, latestMs)];
  const drawTime = (): number => {
    if (rng.int(0, 2) === 0) return rng.int(0, latestMs);
    return Math.min(latestMs, oneOf(rng, moments) + rng.int(0, 1_500));
  };
  const faults: Fault[] = [];
  for (const drawOne of Object.values(drawers)) {
    if (rng.int(0, 2) === 0) continue; // This seed has none of the kind.
    const count = rng.int(1, 6);
    for (let index = 0; index < count; index++) {
      const atMs = drawTime();
      faults.push(drawOne({ rng, options, atMs, leftMs: options.untilMs - atMs }));
    }
  }
  return { clocks, faults };
}

function oneOf<T>(rng: Rng, values: readonly T[]): T {
  return values[rng.int(0, values.length)] as T;
}

function anyNode({ rng, options }: FaultDraw): string {
  return rng.int(0, 3) === 0 ? theLeader : oneOf(rng, options.nodes);
}

function causeOf({ rng }: FaultDraw): CrashCause {
  return rng.int(0, 2) === 0 ? 'powerCut' : 'killed';
}

function downMs({ rng, leftMs }: FaultDraw): number {
  return Math.min(leftMs, 50 + rng.int(0, 3_000));
}

function lasting({ rng, leftMs }: FaultDraw, maxMs: number): number {
  return Math.min(leftMs, 50 + rng.int(0, maxMs));
}

function sideOf(draw: FaultDraw): string[] {
  if (draw.rng.int(0, 2) === 0) return [theLeader];
  const side = draw.options.nodes.filter(() => draw.rng.int(0, 2) === 0);
  return side.length === 0 ? [oneOf(draw.rng, draw.options.nodes)] : side;
}
