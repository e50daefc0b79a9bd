/**
 * Programs: expressions compiled to a WebAssembly module, in two kinds.
 *
 *     filter     condition            → u32 numbers of the rows for which it is true
 *     project    expressions          → values and validity, beside the batch's columns
 *
 * Each module has the functions `all` and `selected`, for batches without and with a selection. A
 * program is made once per shape and kind of batch and kept; it is instantiated per memory.
 *
 * Kept per thread: emitting takes 0.1 ms, and V8 itself knows modules of the same bytes across
 * threads, with the machine code that it made of them.
 */
import type { Expr } from '../../expr/expr.ts';
import { storeColumn } from '../rules/column-access.ts';
import { NoRule } from '../rules/rule-context.ts';
import { partOf, type Value } from '../rules/value.ts';
import type { Label, Local } from '../wasm/code-builder.ts';
import { ModuleBuilder, type WasmFunction } from '../wasm/module-builder.ts';
import { ExprEmitter } from './expr-emitter.ts';
import { ExprShapes } from './expr-shape.ts';
import { FrameBuilder, frameLayout, type Literal, type OutputSlot } from './frame.ts';
import { addBit, type BitOutput, rowLoop } from './row-loop.ts';

export type ProgramKind = 'filter' | 'project';

export interface ProgramOptions {
  readonly kind: ProgramKind;
  /** The condition, or what is computed. */
  readonly exprs: readonly Expr[];
  /** Whether the batch has nulls in one of the columns. */
  readonly hasNulls: boolean;
}

/** What programs of one shape share. */
export interface ProgramShape {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly frame: FrameBuilder;
}

export interface ExprProgram extends ProgramShape {
  /** By index in `frame.literalOffsets`. */
  readonly literals: readonly Literal[];
}

const shapesMax = 256;
const knownShapes = new Map<string, ProgramShape>();
const modules = new WeakMap<Uint8Array, WebAssembly.Module>();

/** Compiles the expressions; throws NoRule where one of them can't be. */
export function compileProgram(options: ProgramOptions): ExprProgram {
  const shapes = new ExprShapes();
  const texts = options.exprs.map((expr) => shapes.textOf(expr));
  const key = JSON.stringify([options.kind, options.hasNulls, texts]);
  let shape = knownShapes.get(key);
  if (shape === undefined) {
    shape = emitProgram(options, shapes);
    if (knownShapes.size >= shapesMax) knownShapes.clear();
    knownShapes.set(key, shape);
  }
  return { ...shape, literals: shapes.literals };
}

/** The program as V8 has it, compiled when it is first asked for. */
export function moduleOf({ bytes }: ProgramShape): WebAssembly.Module {
  let module = modules.get(bytes);
  if (module === undefined) {
    module = new WebAssembly.Module(bytes);
    modules.set(bytes, module);
  }
  return module;
}

/** Why an expression is not compiled: the name of what has no rule; null when it is. */
export function reasonAgainst(expr: Expr): string | null {
  try {
    compileProgram({ kind: 'project', exprs: [expr], hasNulls: true });
    return null;
  } catch (error) {
    if (error instanceof NoRule) return error.message;
    throw error;
  }
}

function emitProgram({ kind, exprs, hasNulls }: ProgramOptions, shapes: ExprShapes): ProgramShape {
  const module = new ModuleBuilder();
  const frame = new FrameBuilder();
  for (const hasSelection of [false, true]) {
    const emitter = new ExprEmitter({ module, frame, shapes, hasNulls });
    const emit = kind === 'filter' ? emitFilter : emitProject;
    module.addFunction(emit(emitter, { exprs, frame, hasSelection }));
  }
  return { bytes: module.bytes(), frame };
}

interface FunctionOptions {
  readonly exprs: readonly Expr[];
  readonly frame: FrameBuilder;
  readonly hasSelection: boolean;
}

/** Every row is written, and kept by moving on: no branch that could be predicted wrongly. */
function emitFilter(emitter: ExprEmitter, options: FunctionOptions): WasmFunction {
  const { code, row, frameAddress } = emitter;
  const { exprs, frame, hasSelection } = options;
  const out = emitter.fromFrame(frame.output(0).offset);
  const count = emitter.fromFrame(frameLayout.selectedCount);
  return rowLoop(emitter, {
    name: functionName(hasSelection),
    hasSelection,
    body(stop) {
      const conditions = exprs.map((expr) => emitter.value(expr));
      stopWhereFailed(emitter, conditions, stop);
      code.get(out).get(count).i32(2).op('i32.shl', 'i32.add').get(row).at('i32.store');
      code.get(count);
      for (const [index, condition] of conditions.entries()) {
        code.get(partOf(condition));
        if (condition.valid !== null) code.get(condition.valid).op('i32.and');
        if (index > 0) code.op('i32.and');
      }
      code.op('i32.add').set(count);
      return [];
    },
    end() {
      code.get(frameAddress).get(count).at('i32.store', frameLayout.selectedCount);
    },
  });
}

function emitProject(emitter: ExprEmitter, options: FunctionOptions): WasmFunction {
  const { exprs, frame, hasSelection } = options;
  return rowLoop(emitter, {
    name: functionName(hasSelection),
    hasSelection,
    body(stop) {
      const values = exprs.map((expr) => emitter.value(expr));
      stopWhereFailed(emitter, values, stop);
      return values.flatMap((value, index) => storeOutput(emitter, value, frame.output(index)));
    },
    end() {},
  });
}

/** Stores what is whole bytes; answers the bits, which the loop stores. */
function storeOutput(emitter: ExprEmitter, value: Value, output: OutputSlot): BitOutput[] {
  const { code } = emitter;
  const bits: BitOutput[] = [];
  const addFlag = (offset: number, flag: Local) => {
    const output = { bitmap: emitter.fromFrame(offset), word: code.local('i64') };
    code.get(flag);
    addBit(emitter, output);
    bits.push(output);
  };
  if (value.type.kind === 'bool') addFlag(output.offset, partOf(value));
  else storeColumn(emitter, value, emitter.fromFrame(output.offset));
  if (value.valid !== null) {
    output.hasValidity = true;
    addFlag(output.offset + 4, value.valid);
  }
  return bits;
}

function stopWhereFailed({ code }: ExprEmitter, values: readonly Value[], stop: Label): void {
  const flags = new Set(values.flatMap(({ failed }) => (failed === null ? [] : [failed])));
  if (flags.size === 0) return;
  for (const [index, flag] of [...flags].entries()) {
    code.get(flag);
    if (index > 0) code.op('i32.or');
  }
  code.branchIf(stop);
}

/** The export for batches with or without a selection. */
function functionName(hasSelection: boolean): string {
  return hasSelection ? 'selected' : 'all';
}
