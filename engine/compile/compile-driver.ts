/**
 * Compiling drivers: text → function, once per user function. Everything that the text may use comes
 * in by name; the same text gives a new function each time, with type feedback of its own.
 */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { driverFile } from './user-error.ts';

/** Runs a user's function over rows of batches. */
export interface RowDriver {
  /**
   * Works on rows `[fromRow, toRow)`; answers the next row, short of `toRow` when the builder is full.
   * In the middle of a row's outputs the answer is that row, and the next call goes on from there.
   */
  run(batch: Batch, fromRow: number, toRow: number): number;
  /** Whether it is in the middle of a row's outputs. @defaultValue it never is, between two calls */
  isWithinRow?(): boolean;
  /** Ends an unfinished row's outputs, so that a generator's `finally` runs. */
  close(): void;
}

export interface DriverInputs {
  readonly memory: SlotMemory;
  /** Null for a driver that gives out no rows. */
  readonly builder: BatchBuilder | null;
  /** The helper, and the user's functions, by the names the text uses. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Part of the name that stack traces show: letters, digits and dashes survive. */
  readonly label: string;
}

/** Evaluates the text of a driver, which ends with a `return`. */
export function compileDriver(text: string, inputs: DriverInputs): unknown {
  const { memory, builder, values, label } = inputs;
  const given: Record<string, unknown> = {
    builder,
    u8: memory.bytes,
    i16: memory.int16,
    u16: memory.uint16,
    i32: memory.int32,
    u32: memory.uint32,
    f32: memory.float32,
    f64: memory.float64,
    i64: memory.bigInt64,
    ...values,
  };
  const name = `${driverFile}-${label.replaceAll(/[^\w-]/g, '-')}.js`;
  const code = `'use strict';\n${text}\n//# sourceURL=${name}`;
  return new Function(...Object.keys(given), code)(...Object.values(given));
}
