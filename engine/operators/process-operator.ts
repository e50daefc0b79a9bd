/**
 * Process: user functions over the state of a key. Rows come by key group; each is given to `onRow` with the state and
 * the timers of its key; `onTimer` is called when a timer's time has come.
 *
 *     process   each row: its key into the cursor, onRow
 *     advance   timers of event time up to the watermark, in order of time, then of key
 *     wake      timers of the clock that are due
 *     finish    all timers that are left: those of event time first
 *     control   each row of the control stream: onControl, which writes broadcast states (controlled-process-operator.ts)
 *
 * A timer that a call sets fires in its turn, in the same advance if its time has come. So a function that sets
 * one more each time never lets its job end: it may ask whether the watermark is infinite.
 *
 * State expires by event time as timers fire: at the time of each timer, and not of the watermark, so that a job gives the
 * same rows however far apart watermarks are.
 *
 * At a barrier rows that wait for others go out; state and timers are handed out. Timers of the clock are for times of the
 * host's: those whose time comes while the job is down fire when it is up again.
 *
 * Before: engine/task/build-operator.ts. After: engine/state/keyed-state.ts, engine/compile/process-driver.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import { type ProcessDriver, processDriver } from '../compile/process-driver.ts';
import { userFunctionFailed } from '../compile/user-error.ts';
import type { Json } from '../contracts/json.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import type { ProcessKey, StateSpec } from '../plan/state-spec.ts';
import type { ProcessFunctions, ValueChange } from '../plan/user-functions.ts';
import { type Field, fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { SpillContext } from '../spill/spill-space.ts';
import { touchedRowsMax } from '../state/entry-table.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { RowKeys } from '../state/row-keys.ts';
import type { StateNote } from '../state/state-snapshot.ts';
import type { TimerQueue } from '../state/timer-queue.ts';
import { BuiltBatches, rowsHeldMs } from './built-batches.ts';
import { processState } from './key-state/process-state.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { type PoisonRecords, poisonRecordsOf } from './poison-records.ts';
import { processCallOf } from './process-call.ts';
import { type ControlOptions, ProcessControl } from './process-control.ts';
import { RowPacer } from './row-pacer.ts';
import { latestTimeOf, leastTimeOf, notedTime, notesOf } from './snapshot-notes.ts';

export interface ProcessOperatorOptions {
  /** What comes in: the fields of the user's rows, and behind them keys that the user does not see. */
  readonly input: Schema;
  /** How many fields functions see. */
  readonly fieldCount: number;
  readonly output: Schema;
  readonly keys: readonly ProcessKey[];
  readonly states: readonly StateSpec[];
  /** The field with the event time, or null. */
  readonly timeColumn: string | null;
  readonly functions: ProcessFunctions;
  /** @defaultValue there is no control stream */
  readonly control?: ControlOptions | null;
  readonly clock: { mono(): number; wall(): number };
}

export class ProcessOperator implements Operator {
  readonly #state: KeyedState;
  readonly #context: OperatorContext;
  readonly #keys: RowKeys;
  /** As functions name them. */
  readonly #keyFields: readonly Field[];
  readonly #driver: ProcessDriver;
  /** Null where there is no control stream. */
  readonly #control: ProcessControl | null;
  readonly #builder: BatchBuilder;
  readonly #output: BuiltBatches;
  readonly #poison: PoisonRecords | null;
  readonly #pacer: RowPacer;
  readonly #clock: ProcessOperatorOptions['clock'];
  readonly #shouldYield: () => boolean;
  readonly #times = { watermarkMs: Number.NEGATIVE_INFINITY, nowMs: 0 };
  #batch: Batch | null = null;
  /** Event time of the snapshot that the operator goes on from: nothing comes of times up to it. */
  #restoredMs = Number.NEGATIVE_INFINITY;
  /** Since when rows wait for others that fill a batch; infinity: there are none. */
  #heldSinceMs = Number.POSITIVE_INFINITY;

  constructor(context: OperatorContext, options: ProcessOperatorOptions) {
    const { scope, kernels, shouldYield } = context;
    const { input, output, keys, states, functions } = options;
    const poison = poisonRecordsOf(context);
    this.#context = context;
    this.#poison = poison;
    this.#clock = options.clock;
    this.#shouldYield = shouldYield;
    this.#pacer = new RowPacer(shouldYield);
    this.#builder = new BatchBuilder(scope, output);
    this.#output = new BuiltBatches(this.#builder);
    const columns = keys.map(({ column }) => column);
    this.#keys = new RowKeys({ scope, kernels, schema: input }, columns);
    this.#keyFields = this.#keys.named(keys);
    const { control = null } = options;
    const [keyed, shared] = sharedBy(context, control !== null);
    const changes = changesOf(context, functions);
    this.#state = new KeyedState(keyed, {
      states,
      functions: functions.states,
      changes,
      hasTimers: functions.onTimer !== null,
      canUndo: poison !== null,
    });
    const given = { functions, changes, builder: this.#builder, times: this.#times };
    this.#control = control && new ProcessControl(shared, { ...given, control });
    this.#driver = this.#driverOf(context, options);
    this.#readClock();
  }

  get wakeAtMs(): number {
    const { nextMs } = this.#state.processingTimers;
    const { mono, wall } = this.#clock;
    // A timer is for the host's clock, which may be set; what wakes is the one that only goes on.
    const timerMs = nextMs === Number.POSITIVE_INFINITY ? nextMs : nextMs - wall() + mono();
    return Math.min(timerMs, this.#heldSinceMs + rowsHeldMs);
  }

  /** State of keys is whole between two rows. */
  get isStoppable(): boolean {
    return true;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const { rowCount } = batch;
    if (batch !== this.#batch || fromRow === 0) this.#take(batch);
    let row = fromRow;
    while (row < rowCount) {
      if (!this.#output.flush(outbox) || this.#poison?.flush() === false) return row;
      if (!this.#maintain()) return row;
      const end = Math.min(row + this.#pacer.rows, row + touchedRowsMax, rowCount);
      this.#state.touch(this.#keys.hashesFrom(row), end - row);
      this.#control?.letRead(true);
      row = this.#driver.run(batch, row, end);
      this.#control?.letRead(false);
      if (this.#builder.isFull) this.#output.cut();
      if (this.#pacer.isOver()) break;
    }
    if (row === rowCount) this.#release();
    if (this.#builder.rowCount === 0) this.#heldSinceMs = Number.POSITIVE_INFINITY;
    else if (this.#heldSinceMs === Number.POSITIVE_INFINITY) this.#heldSinceMs = this.#clock.mono();
    return row;
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    if (timeMs <= this.#restoredMs) return true;
    this.#times.watermarkMs = timeMs;
    if (!this.#fire(this.#state.eventTimers, timeMs, outbox)) return false;
    this.#state.setWatermark(timeMs);
    return this.#giveOut(outbox);
  }

  wake(_nowMs: number, outbox: Outbox): boolean {
    this.#readClock();
    const { processingTimers } = this.#state;
    return this.#fire(processingTimers, this.#times.nowMs, outbox) && this.#giveOut(outbox);
  }

  stateOf(key: string): Json | undefined {
    const [fields, state] = [this.#keyFields, this.#state];
    const broadcast = this.#control?.states ?? null;
    return processState(this.#context, { fields, state, broadcast, key });
  }

  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (!this.#giveOut(outbox)) return false;
    const { watermarkMs, nowMs } = this.#times;
    const state = this.#state.snapshot(writer);
    this.#control?.snapshot(writer);
    writer.note({ watermarkMs: notedTime(watermarkMs), nowMs, state });
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    const notes = notesOf(reader).map(({ state }) => state as StateNote);
    if (!this.#state.restore(reader, notes)) return false;
    this.#control?.restore(reader);
    this.#restoredMs = leastTimeOf(reader, 'watermarkMs');
    this.#times.watermarkMs = this.#restoredMs;
    this.#times.nowMs = Math.max(this.#times.nowMs, latestTimeOf(reader, 'nowMs'));
    return true;
  }

  finish(outbox: Outbox): boolean {
    const end = Number.POSITIVE_INFINITY;
    this.#times.watermarkMs = end;
    const { eventTimers, processingTimers } = this.#state;
    // A timer of one kind may set one of the other.
    do {
      if (!this.#fire(eventTimers, end, outbox)) return false;
      if (!this.#fire(processingTimers, end, outbox)) return false;
    } while (eventTimers.count > 0);
    return this.#giveOut(outbox);
  }

  /** Gives rows of the control stream to `onControl`; answers the next row, as `process` does. */
  protected control(batch: Batch, fromRow: number): number {
    const control = this.#control;
    assert(control !== null, 'an operator that is given control rows has a function for them');
    if (fromRow === 0) this.#readClock();
    let row = fromRow;
    while (row < batch.rowCount) {
      row = control.run(batch, row, Math.min(row + this.#pacer.rows, batch.rowCount));
      if (this.#pacer.isOver()) break;
    }
    return row;
  }

  close(): void {
    this.#driver.close();
    this.#control?.close();
    this.#output.close();
    this.#poison?.close();
    this.#keys.close();
    this.#state.close();
  }

  /** Calls `onTimer` for timers up to a time; false asks to be called again. */
  #fire(timers: TimerQueue, untilMs: number, outbox: Outbox): boolean {
    const state = this.#state;
    while (timers.nextMs <= untilMs && timers.count > 0) {
      if (!this.#output.flush(outbox) || this.#poison?.flush() === false) return false;
      if (!this.#maintain()) return false;
      this.#control?.letRead(true);
      for (let calls = this.#pacer.rows; calls > 0 && !this.#builder.isFull; calls--) {
        if (!timers.take(state.cursor, untilMs)) break;
        if (timers === state.eventTimers) state.setWatermark(timers.timeMs);
        this.#driver.fire(timers.timeMs);
      }
      this.#control?.letRead(false);
      if (this.#builder.isFull) this.#output.cut();
      if (this.#pacer.isOver()) return false;
    }
    return true;
  }

  /** Gives out the rows so far: what follows a watermark must not come before them. */
  #giveOut(outbox: Outbox): boolean {
    this.#heldSinceMs = Number.POSITIVE_INFINITY;
    return this.#output.finish(outbox) && this.#poison?.finish() !== false;
  }

  /** Works on the tables until there is room for a row; false when time is up before. */
  #maintain(): boolean {
    while (!this.#state.maintain()) if (this.#shouldYield()) return false;
    return true;
  }

  #take(batch: Batch): void {
    this.#keys.read(batch);
    this.#batch = batch;
    this.#readClock();
  }

  #release(): void {
    this.#keys.release();
    this.#batch = null;
  }

  /** A clock that steps back is taken to stand still. */
  #readClock(): void {
    this.#times.nowMs = Math.max(this.#times.nowMs, this.#clock.wall());
    this.#state.setClock(this.#times.nowMs);
  }

  #driverOf(context: OperatorContext, options: ProcessOperatorOptions): ProcessDriver {
    const { scope, name: operator } = context;
    const { memory } = scope;
    const { input, fieldCount, output, timeColumn, functions } = options;
    const rows = { fields: input.fields.slice(0, fieldCount) };
    const state = this.#state;
    const hasTimers = functions.onTimer !== null;
    return processDriver({
      ...{ operator, memory, output, builder: this.#builder, poison: this.#poison },
      input: rows,
      timeIndex: timeColumn === null ? -1 : fieldIndexOf(rows, timeColumn),
      overflow: () => this.#output.cut(),
      tellsTime: options.states.some(({ ttl }) => ttl?.time === 'event'),
      hooks: {
        enterRow: (row, storedRow) => this.#keys.load(state.cursor, row, storedRow),
        atTime: (timeMs) => state.setEventTime(timeMs),
        commit: () => {
          state.commit();
          state.cursor.leave();
        },
        undo: () => state.undo(),
      },
      contextOf: (outlets) =>
        processCallOf({
          ...{ ...outlets, operator, memory, keys: this.#keyFields, state, times: this.#times },
          ...{ hasTimers, broadcast: this.#control?.states.handles ?? {} },
        }),
      rowFunction: 'onRow',
      onRow: functions.onRow as never,
      onTimer: functions.onTimer as never,
    });
  }
}

/** How values of states have changed; what goes wrong in a function names it. */
function changesOf(
  { name: operator }: OperatorContext,
  { changes = {} }: ProcessFunctions,
): Readonly<Record<string, ValueChange>> {
  return Object.fromEntries(
    Object.entries(changes).map(([state, { defaults, migrate }]) => {
      if (migrate === null) return [state, { defaults, migrate }];
      const named = { operator, function: `migrate of ${state}` };
      const guarded = (old: unknown): unknown => {
        try {
          return migrate(old);
        } catch (error) {
          throw userFunctionFailed(named, error, old);
        }
      };
      return [state, { defaults, migrate: guarded }];
    }),
  );
}

/** What broadcast states may hold of the operator's share. */
const broadcastPart = 1 / 4;

/** The context for states of keys, and the one for broadcast states. */
function sharedBy(context: OperatorContext, hasControl: boolean): [SpillContext, SpillContext] {
  const { spill } = context;
  const withPart = (part: number) => ({
    ...context,
    spill: { ...spill, share: spill.share.part(part) },
  });
  return hasControl ? [withPart(1 - broadcastPart), withPart(broadcastPart)] : [context, context];
}
