/**
 * The control stream of a process, in one task: broadcast states, and the function that writes them for control rows.
 *
 *     run      each control row: onControl, which may write the states
 *     letRead  around functions of rows and timers, which may read them
 *
 * Before: engine/operators/process-operator.ts. After: engine/state/broadcast-state.ts, engine/compile/process-driver.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/batch-builder.ts';
import { type ProcessDriver, processDriver } from '../compile/process-driver.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import type { ControlSpec } from '../plan/state-spec.ts';
import type { ProcessFunctions, ValueChange } from '../plan/user-functions.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { SpillContext } from '../spill/spill-space.ts';
import { restoreBroadcast, snapshotBroadcast } from '../state/broadcast-rows.ts';
import { BroadcastStates } from '../state/broadcast-state.ts';
import { type CallTimes, controlCallOf } from './process-call.ts';

export interface ControlOptions extends ControlSpec {
  /** What comes in. */
  readonly input: Schema;
}

export interface ProcessControlOptions {
  readonly control: ControlOptions;
  readonly functions: ProcessFunctions;
  /** How values of states have changed, by name. */
  readonly changes: Readonly<Record<string, ValueChange>>;
  /** Of the operator; no row goes into it for control rows. */
  readonly builder: BatchBuilder;
  readonly times: CallTimes;
}

export class ProcessControl {
  readonly states: BroadcastStates;
  readonly #context: SpillContext;
  readonly #specs: ControlSpec['states'];
  readonly #changes: ProcessControlOptions['changes'];
  readonly #driver: ProcessDriver;

  /** @param context - Its share is what the states may hold. */
  constructor(context: SpillContext, options: ProcessControlOptions) {
    const { control, functions, builder, times } = options;
    const { input, timeColumn } = control;
    const { name: operator, scope } = context;
    this.#context = context;
    this.#specs = control.states;
    this.#changes = options.changes;
    this.states = new BroadcastStates(context, control.states);
    const { handles: broadcast } = this.states;
    this.#driver = processDriver({
      ...{ operator, memory: scope.memory, input, output: builder.schema, builder },
      // A control row that one task left out would make its states others than those of the rest.
      poison: null,
      timeIndex: timeColumn === null ? -1 : fieldIndexOf(input, timeColumn),
      overflow: nothing,
      tellsTime: false,
      hooks: { enterRow: nothing, atTime: nothing, commit: nothing, undo: nothing },
      contextOf: ({ timeMs }) => controlCallOf({ broadcast, times, timeMs }),
      rowFunction: 'onControl',
      onRow: functions.onControl as never,
      onTimer: null,
    });
  }

  /** Control rows `[fromRow, toRow)`; answers `toRow`. */
  run(batch: Batch, fromRow: number, toRow: number): number {
    this.states.access = 'write';
    const row = this.#driver.run(batch, fromRow, toRow);
    this.states.access = 'none';
    return row;
  }

  /** Whether functions run now that may read the states. */
  letRead(mayRead: boolean): void {
    this.states.access = mayRead ? 'read' : 'none';
  }

  snapshot(writer: SnapshotWriter): void {
    snapshotBroadcast(writer, this.#context.scope, this.states, this.#specs);
  }

  restore(reader: SnapshotReader): void {
    restoreBroadcast(reader, {
      ...{ operator: this.#context.name, states: this.states },
      ...{ specs: this.#specs, changes: this.#changes },
    });
  }

  close(): void {
    this.#driver.close();
  }
}

function nothing(): void {
  // No key is entered for a control row, and nothing is undone.
}
