/**
 * Jobs that depend on jobs, as a pure step function.
 *
 *     extract ──▶ clean ──┬──▶ totals ──▶ report        a step is submitted when all before it have finished
 *                         └──▶ index                    a step that failed is tried again, after a pause
 *
 *     waiting ──▶ running ──finished──▶ finished
 *                  │  ▲
 *               failed pause over ──▶ pausing … failed, when its tries are used up ──▶ those behind it: skipped
 *
 * Once a step has failed for good nothing new begins behind it; what does not depend on it goes on. The
 * workflow ends when nothing can happen any more. A cancel ends what runs and skips the rest.
 * Not here: submitting jobs, the log that makes each step of this durable.
 *
 * Before: coordinator/scheduler/job-queue.ts. After: coordinator/scheduler/schedule.ts.
 */
import { assertNever } from '../../base/assert.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';

export interface WorkflowStepSpec {
  readonly name: string;
  /** Steps that have to finish before. */
  readonly after: readonly string[];
  /** Tries after the first one. */
  readonly retries: number;
  /** Pause before the first retry; doubles with each. */
  readonly pauseMs: number;
}

export interface WorkflowSpec {
  readonly name: string;
  readonly steps: readonly WorkflowStepSpec[];
}

export type WorkflowStepState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly attempt: number }
  | { readonly kind: 'pausing'; readonly attempt: number; readonly untilMs: number }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly attempt: number }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'cancelled' };

export interface WorkflowState {
  readonly isCancelled: boolean;
  /** By name of the step. */
  readonly steps: Readonly<Record<string, WorkflowStepState>>;
}

export type WorkflowEvent = { readonly nowMs: number } & (
  | { readonly kind: 'begin' | 'tick' | 'cancel' }
  | {
      readonly kind: 'jobEnded';
      readonly step: string;
      readonly attempt: number;
      readonly status: 'finished' | 'failed' | 'cancelled';
    }
);

export type WorkflowEffect =
  | { readonly kind: 'submit'; readonly step: string; readonly attempt: number }
  | { readonly kind: 'cancelJob'; readonly step: string; readonly attempt: number }
  | { readonly kind: 'ended'; readonly status: 'finished' | 'failed' | 'cancelled' };

export interface WorkflowStep {
  readonly state: WorkflowState;
  readonly effects: readonly WorkflowEffect[];
}

/** @throws WORKFLOW_INVALID for steps that do not exist, are there twice, or wait for each other. */
export function initialWorkflow(spec: WorkflowSpec): WorkflowState {
  checkNames(spec);
  checkOrder(spec);
  const steps = spec.steps.map(({ name }) => [name, { kind: 'waiting' }] as const);
  return { isCancelled: false, steps: Object.fromEntries(steps) };
}

export function stepWorkflow(
  state: WorkflowState,
  event: WorkflowEvent,
  spec: WorkflowSpec,
): WorkflowStep {
  if (isOver(state)) return { state, effects: [] };
  switch (event.kind) {
    case 'begin':
    case 'tick':
      return goOn(state, spec, event.nowMs);
    case 'cancel':
      return cancel(state, spec, event.nowMs);
    case 'jobEnded': {
      const known = state.steps[event.step];
      if (known?.kind !== 'running' || known.attempt !== event.attempt)
        return { state, effects: [] };
      const next = afterJob(state, event, spec);
      return goOn(withStep(state, event.step, next), spec, event.nowMs);
    }
    default:
      return assertNever(event);
  }
}

/** When the workflow wants a tick; infinity while it waits for jobs only. */
export function workflowWakeAtOf({ steps }: WorkflowState): number {
  const pauses = Object.values(steps).map((step) =>
    step.kind === 'pausing' ? step.untilMs : Infinity,
  );
  return Math.min(...pauses);
}

function afterJob(
  { isCancelled }: WorkflowState,
  { step, attempt, status, nowMs }: Extract<WorkflowEvent, { kind: 'jobEnded' }>,
  spec: WorkflowSpec,
): WorkflowStepState {
  if (status !== 'failed') return { kind: status };
  const { retries = 0, pauseMs = 0 } = spec.steps.find(({ name }) => name === step) ?? {};
  if (isCancelled || attempt > retries) return { kind: 'failed', attempt };
  return { kind: 'pausing', attempt, untilMs: nowMs + pauseMs * 2 ** (attempt - 1) };
}

/** Submits what may begin, leaves out what can't any more, and ends when nothing is left. */
function goOn(before: WorkflowState, spec: WorkflowSpec, nowMs: number): WorkflowStep {
  let state = before;
  const effects: WorkflowEffect[] = [];
  // In an order in which each step comes behind those before it, so one pass is enough.
  for (const { name, after } of inOrder(spec)) {
    const step = state.steps[name];
    const attempt = attemptThatBegins(state, step, after, nowMs);
    if (attempt !== null) {
      state = withStep(state, name, { kind: 'running', attempt });
      effects.push({ kind: 'submit', step: name, attempt });
    } else if (step?.kind === 'waiting' && after.some((one) => isLost(state.steps[one]))) {
      state = withStep(state, name, { kind: 'skipped' });
    }
  }
  if (isOver(state)) effects.push({ kind: 'ended', status: statusOf(state) });
  return { state, effects };
}

function attemptThatBegins(
  state: WorkflowState,
  step: WorkflowStepState | undefined,
  after: readonly string[],
  nowMs: number,
): number | null {
  if (step?.kind === 'pausing') return nowMs >= step.untilMs ? step.attempt + 1 : null;
  const isReady = after.every((one) => state.steps[one]?.kind === 'finished');
  return step?.kind === 'waiting' && isReady ? 1 : null;
}

function cancel(before: WorkflowState, spec: WorkflowSpec, nowMs: number): WorkflowStep {
  let state: WorkflowState = { ...before, isCancelled: true };
  const effects: WorkflowEffect[] = [];
  for (const [name, step] of Object.entries(before.steps)) {
    if (step.kind === 'waiting') state = withStep(state, name, { kind: 'skipped' });
    if (step.kind === 'pausing') state = withStep(state, name, { kind: 'cancelled' });
    if (step.kind === 'running') {
      effects.push({ kind: 'cancelJob', step: name, attempt: step.attempt });
    }
  }
  const next = goOn(state, spec, nowMs);
  return { state: next.state, effects: [...effects, ...next.effects] };
}

function withStep(state: WorkflowState, name: string, step: WorkflowStepState): WorkflowState {
  return { ...state, steps: { ...state.steps, [name]: step } };
}

/** Nothing behind it can begin any more. */
function isLost(step: WorkflowStepState | undefined): boolean {
  return step?.kind === 'failed' || step?.kind === 'skipped' || step?.kind === 'cancelled';
}

function isOver({ steps }: WorkflowState): boolean {
  return Object.values(steps).every((step) => step.kind === 'finished' || isLost(step));
}

function statusOf({ isCancelled, steps }: WorkflowState): 'finished' | 'failed' | 'cancelled' {
  const all = Object.values(steps);
  if (all.every(({ kind }) => kind === 'finished')) return 'finished';
  if (isCancelled) return 'cancelled';
  return all.some(({ kind }) => kind === 'failed') ? 'failed' : 'cancelled';
}

/** Each step behind those that it waits for; steps of a circle are left out. */
function inOrder({ steps }: WorkflowSpec): WorkflowStepSpec[] {
  const ordered: WorkflowStepSpec[] = [];
  const placed = new Set<string>();
  for (let rest = [...steps]; rest.length > 0; ) {
    const ready = rest.filter(({ after }) => after.every((one) => placed.has(one)));
    if (ready.length === 0) break;
    for (const step of ready) placed.add(step.name);
    ordered.push(...ready);
    rest = rest.filter(({ name }) => !placed.has(name));
  }
  return ordered;
}

function checkNames({ name: workflow, steps }: WorkflowSpec): void {
  const names = steps.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalidError(workflow, `it has two steps "${twice}"`);
  if (names.length === 0) throw invalidError(workflow, 'it has no steps');
  for (const { name, after } of steps) {
    const missing = after.find((one) => !names.includes(one));
    if (missing === undefined) continue;
    const nearest = nearestName(missing, names);
    const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
    throw invalidError(workflow, `step "${name}" waits for "${missing}", which it has not${hint}`);
  }
}

function checkOrder(spec: WorkflowSpec): void {
  const ordered = new Set(inOrder(spec).map(({ name }) => name));
  const circle = spec.steps.filter(({ name }) => !ordered.has(name)).map(({ name }) => name);
  if (circle.length > 0)
    throw invalidError(spec.name, `steps wait for each other: ${circle.join(', ')}`);
}

function invalidError(workflow: string, what: string): TypedError {
  return typedError('WORKFLOW_INVALID', `workflow "${workflow}": ${what}`, {
    hint: 'Each step needs a name of its own, and "after" names steps that do not wait for it.',
    details: { workflow },
  });
}
