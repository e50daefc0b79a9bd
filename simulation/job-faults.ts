/**
 * Draws what befalls a job on one node: disk calls that fail, crashes at calls and at times, a cancel,
 * a slot that dies, a slow slot. Few faults each, for a run with many hides what one of them does, and
 * one seed in eight has none: then the job must simply finish.
 */
import type { Rng } from '../base/env/rng.ts';
import type { Fault, FaultPlan } from './faults.ts';

export interface JobFaultOptions {
  readonly node: string;
  readonly slotCount: number;
  /** Tasks of a vertex. */
  readonly parallelism: number;
  readonly outputFolder: string;
  readonly inputFolder: string;
  readonly spillFolder: string;
  /** About how many disk calls an undisturbed run makes, and how long it takes. */
  readonly callCount: number;
  readonly runMs: number;
}

type Aim = Pick<Extract<Fault, { kind: 'diskCallFails' }>, 'call' | 'below'>;
type Drawer = (rng: Rng, options: JobFaultOptions) => Fault;

const taskFaults = [
  ...(['failsBefore', 'failsAfter', 'outputRemoved', 'outputTorn', 'slow'] as const),
  ...(['diesBefore', 'diesAfter'] as const),
];

const drawers: readonly Drawer[] = [
  (rng, options) => ({
    kind: 'diskCallFails',
    node: options.node,
    ...callOf(rng, options),
    times: rng.int(0, 2) === 0 ? 1 : rng.int(2, 20),
    isFull: rng.int(0, 2) === 0,
  }),
  (rng, options) => ({
    kind: 'crashAtDiskCall',
    node: options.node,
    ...callOf(rng, options),
    when: rng.int(0, 2) === 0 ? 'before' : 'after',
    downMs: rng.int(10, 500),
    cause: rng.int(0, 2) === 0 ? 'powerCut' : 'killed',
  }),
  (rng, options) => ({
    kind: 'crash',
    atMs: timeOf(rng, options),
    node: options.node,
    downMs: rng.int(10, 500),
    cause: rng.int(0, 2) === 0 ? 'powerCut' : 'killed',
  }),
  (rng, options) => ({
    kind: 'taskFault',
    vertexId: `v${rng.int(1, 5)}`,
    taskIndex: rng.int(0, options.parallelism),
    attempt: rng.int(0, 4) === 0 ? 2 : 1,
    what: taskFaults[rng.int(0, taskFaults.length)] ?? 'failsBefore',
  }),
  (rng, options) => ({ kind: 'cancelJob', atMs: timeOf(rng, options) }),
  (rng) => ({
    kind: 'cancelInState',
    state: rng.int(0, 2) === 0 ? 'running' : 'committing',
    afterMs: rng.float() ** 2 * 10,
  }),
  (rng, options) => ({
    kind: 'slotDies',
    atMs: timeOf(rng, options),
    slot: rng.int(0, options.slotCount),
  }),
  (rng, options) => ({
    kind: 'slowSlot',
    atMs: timeOf(rng, options),
    slot: rng.int(0, options.slotCount),
    by: 10 ** rng.int(1, 4),
  }),
];

export function drawJobFaults(rng: Rng, options: JobFaultOptions): FaultPlan {
  const clocks = { [options.node]: { skewMs: rng.int(-60_000, 60_000), drift: driftOf(rng) } };
  const faults: Fault[] = [];
  const count = rng.int(0, 8) === 0 ? 0 : rng.int(1, 4);
  for (let index = 0; index < count; index++) {
    // The first four kinds twice as often: what the disk holds is what is judged.
    const drawOne = drawers[rng.int(0, 2) === 0 ? rng.int(0, 4) : rng.int(0, drawers.length)];
    if (drawOne !== undefined) faults.push(drawOne(rng, options));
  }
  return { clocks, faults };
}

/** Most aim at a folder, where few calls decide; the others at any call, often at early ones. */
function callOf(rng: Rng, options: JobFaultOptions): Aim {
  const { outputFolder, inputFolder, spillFolder, callCount } = options;
  const below = [outputFolder, outputFolder, inputFolder, spillFolder][rng.int(0, 6)];
  if (below !== undefined) return { call: rng.int(0, 40), below };
  return { call: Math.floor(rng.float() ** 2 * callCount) };
}

function timeOf(rng: Rng, { runMs }: JobFaultOptions): number {
  return rng.float() ** 2 * runMs;
}

function driftOf(rng: Rng): number {
  return (rng.float() * 2 - 1) * 0.01;
}
