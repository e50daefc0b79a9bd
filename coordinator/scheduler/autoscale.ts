/**
 * How many slots a job should have: a recommendation by what its tasks really do, and why.
 *
 *     true rate     rows a task handles in a second in which it works: not while it waits for rows, or for room
 *     wanted rate   what comes in, and a share of what has piled up, so that it is gone in time
 *     work          wanted rate ÷ true rate of one task: so many tasks would be busy all the time
 *     wanted slots  work of all operators ÷ how full slots may be, rounded up
 *
 * One step gets there, for the true rate does not depend on how busy tasks are; what they say of their utilization
 * does. Each operator is asked for itself, with its own output as the input of the next. A slot is one thread, which runs a task
 * of each, so their work adds up; in the paper operators have slots of their own, and the greatest alone counts.
 *
 * Steady: a recommendation has to stand for a while before it counts, changes below a share are none, and after
 * a change nothing happens until rates are known again. It says what it would do; who may do it is not decided here.
 * @see Kalavri et al. 2018, "Three steps is all you need: fast, accurate, automatic scaling decisions" (DS2).
 */

/** What was measured of one operator since the last look. */
export interface OperatorRates {
  readonly name: string;
  readonly parallelism: number;
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** Of all its tasks together, in which they handled rows. */
  readonly busyMs: number;
  /** Operators that it reads from; none for a source. */
  readonly inputs: readonly string[];
  /** Rows that wait outside, for a source that can tell. */
  readonly backlogRows: number;
}

export interface AutoscaleConfig {
  readonly slotsMin: number;
  readonly slotsMax: number;
  /** A backlog should be gone after this. */
  readonly catchUpMs: number;
  /** How full tasks may be: 0.8 leaves a fifth for what was not foreseen. */
  readonly utilizationMax: number;
  /** A smaller change than this share of what is there is none. */
  readonly changeMin: number;
  /** A larger number has to be wanted for so long, a smaller one for `downAfterMs`. */
  readonly upAfterMs: number;
  readonly downAfterMs: number;
  /** After a change nothing is wanted for this long. */
  readonly restMs: number;
}

export const defaultAutoscaleConfig: AutoscaleConfig = {
  ...{ slotsMin: 1, slotsMax: 64, catchUpMs: 300_000, utilizationMax: 0.8, changeMin: 0.1 },
  ...{ upAfterMs: 30_000, downAfterMs: 300_000, restMs: 60_000 },
};

export interface AutoscaleState {
  /** Since when more, or fewer, slots than there are have been wanted. */
  readonly wants: { readonly direction: 'up' | 'down'; readonly sinceMs: number } | null;
  readonly changedAtMs: number;
}

export const initialAutoscale: AutoscaleState = {
  wants: null,
  changedAtMs: Number.NEGATIVE_INFINITY,
};

export interface Recommendation {
  /** Null for none. */
  readonly slots: number | null;
  /** In words, whatever comes of it. */
  readonly why: string;
}

export interface AutoscaleStep {
  readonly state: AutoscaleState;
  readonly recommendation: Recommendation;
}

export interface AutoscaleLook {
  readonly nowMs: number;
  /** Over which the rates were measured. */
  readonly spanMs: number;
  readonly slots: number;
  /** Each behind those that it reads from. */
  readonly operators: readonly OperatorRates[];
}

export function stepAutoscale(
  state: AutoscaleState,
  look: AutoscaleLook,
  config: AutoscaleConfig,
): AutoscaleStep {
  const { nowMs, slots } = look;
  const restMs = config.restMs - (nowMs - state.changedAtMs);
  if (restMs > 0)
    return nothing({ ...state, wants: null }, `changed ${secondsOf(config.restMs - restMs)} ago`);
  const need = neededBy(look, config);
  if (need === null) return nothing({ ...state, wants: null }, 'nothing was measured yet');
  const wanted = Math.min(config.slotsMax, Math.max(config.slotsMin, need.slots));
  const isBounded = wanted !== need.slots;
  const why = `${need.why}${isBounded ? `, bounded to ${wanted}` : ''}`;
  if (wanted === slots || Math.abs(wanted - slots) < config.changeMin * slots) {
    return nothing({ ...state, wants: null }, why);
  }
  const direction = wanted > slots ? 'up' : 'down';
  const sinceMs = state.wants?.direction === direction ? state.wants.sinceMs : nowMs;
  const afterMs = direction === 'up' ? config.upAfterMs : config.downAfterMs;
  if (nowMs - sinceMs < afterMs) {
    const waits = `${why}; for ${secondsOf(nowMs - sinceMs)} of ${secondsOf(afterMs)}`;
    return nothing({ ...state, wants: { direction, sinceMs } }, waits);
  }
  return { state: { wants: null, changedAtMs: nowMs }, recommendation: { slots: wanted, why } };
}

function nothing(state: AutoscaleState, why: string): AutoscaleStep {
  return { state, recommendation: { slots: null, why } };
}

/** Slots for all operators together, and the one that works most; null where no rate is known. */
function neededBy(
  look: AutoscaleLook,
  config: AutoscaleConfig,
): { slots: number; why: string } | null {
  /** Rows a second that each operator would put out if all had the tasks they need. */
  const outOf = new Map<string, number>();
  let most: { work: number; why: string } | null = null;
  let allWork = 0;
  for (const operator of look.operators) {
    const { name, rowsIn, rowsOut, busyMs, inputs, backlogRows } = operator;
    const measured = (rowsIn / look.spanMs) * 1_000;
    const given = inputs.reduce((sum, input) => sum + (outOf.get(input) ?? 0), 0);
    const wanted =
      (inputs.length > 0 ? given : measured) + (backlogRows / config.catchUpMs) * 1_000;
    outOf.set(name, rowsIn === 0 ? 0 : wanted * (rowsOut / rowsIn));
    if (busyMs === 0 || rowsIn === 0) continue;
    const trueRate = (rowsIn / busyMs) * 1_000;
    const work = wanted / trueRate;
    allWork += work;
    if (most !== null && work <= most.work) continue;
    const rates = `${rateOf(wanted)} rows/s at ${rateOf(trueRate)} a task`;
    most = { work, why: `"${name}" has to handle ${rates}` };
  }
  if (most === null) return null;
  const slots = Math.max(1, Math.ceil(allWork / config.utilizationMax - 1e-9));
  const word = slots === 1 ? 'slot' : 'slots';
  return {
    slots,
    why: `${most.why}, all operators are ${allWork.toFixed(2)} slots' work: ${slots} ${word}`,
  };
}

function rateOf(rowsPerSecond: number): string {
  return Math.round(rowsPerSecond).toLocaleString('en');
}

function secondsOf(durationMs: number): string {
  return `${Math.round(durationMs / 1_000)} s`;
}
