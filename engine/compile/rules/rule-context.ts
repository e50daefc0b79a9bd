/**
 * What a rule may use: a rule turns one kind of node into instructions that compute its value for the
 * row at hand. Rules write straight-line code; what costs much stands behind a test of `active`.
 *
 *     price > 100 and contains(url, "x")      right side: active = the left side does not decide
 *
 * A node that has no rule throws `NoRule`; the whole expression is then left to the reference.
 */
import type { Expr } from '../../expr/expr.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import type { ValueType } from '../wasm/instructions.ts';
import type { Value } from './value.ts';

export interface RuleContext {
  readonly code: CodeBuilder;
  /** The stored row at hand. */
  readonly row: Local;
  /** 0 where the value of what is emitted now is not asked for; null: it always is. */
  readonly active: Local | null;
  /** The value of a node: emitted at its first use, taken from there afterwards. */
  value(expr: Expr): Value;
  /** A local that several rules need: made at its first use. */
  remember(key: string, make: () => Local): Local;
  /** Emits what is asked for only where `condition` is 1. */
  under<Result>(condition: Local, emit: () => Result): Result;
  /** Index of a kernel, for `code.call`; it takes and gives i32 only, unless types are given. */
  kernel(name: keyof Kernels, parameters: readonly ValueType[], result?: ValueType): number;
  /** Index of a function of JavaScript (engine/compile/program/host-functions.ts), for `code.call`. */
  host(name: HostName, parameters: readonly ValueType[], result: ValueType): number;
  /** The room for the bytes of new texts: the next byte, and the end. */
  readonly room: { readonly at: Local; readonly end: Local };
  /** Ends the call before this row, which needs so many more bytes of room. */
  stopForRoom(needed: Local): void;
  /** Where a column is. */
  column(expr: Expr & { readonly kind: 'column' }): ColumnPlace;
  /** The parts of a literal, loaded before the loop. */
  literal(expr: Expr & { readonly kind: 'literal' }): readonly Local[];
}

/** What programs call in JavaScript, because no instruction or kernel gives exactly the same. */
export type HostName = 'exp' | 'ln' | 'pow' | 'lower' | 'upper' | 'readText' | 'floatText';

/** The locals that hold where a column is. */
export interface ColumnPlace {
  readonly values: Local;
  /** Null where no value is null. */
  readonly validity: Local | null;
}

/** Why an expression is not compiled, for `explain --code`. */
export class NoRule extends Error {}
