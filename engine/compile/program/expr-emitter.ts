/**
 * Emits the code that computes expressions for one row, and the code before the loop that it stands
 * on. A node that occurs several times is computed once.
 *
 *     prologue   addresses of columns and outputs, literals: from the frame into locals
 *     body       straight-line code of the row; what costs much behind `if active`
 */
import { assert, assertNever } from '../../../base/assert.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import { arithmeticRule } from '../rules/arithmetic-rule.ts';
import { callRules } from '../rules/call-rules.ts';
import { castRule } from '../rules/cast-rule.ts';
import { compareRule } from '../rules/compare-rule.ts';
import { inRule } from '../rules/in-rule.ts';
import { columnRule, literalRule } from '../rules/leaf-rules.ts';
import { isNullRule, logicRule, notRule } from '../rules/logic-rules.ts';
import {
  type ColumnPlace,
  type HostName,
  NoRule,
  type RuleContext,
} from '../rules/rule-context.ts';
import { formOf, isNumberForm, type Value } from '../rules/value.ts';
import { whenRule } from '../rules/when-rule.ts';
import { CodeBuilder, FunctionLocals, type Label, type Local } from '../wasm/code-builder.ts';
import type { ValueType } from '../wasm/instructions.ts';
import type { ModuleBuilder } from '../wasm/module-builder.ts';
import type { ExprShapes } from './expr-shape.ts';
import { type FrameBuilder, frameLayout, type Literal } from './frame.ts';

export interface EmitterOptions {
  readonly module: ModuleBuilder;
  readonly frame: FrameBuilder;
  readonly shapes: ExprShapes;
  /** Whether columns may have nulls; without, the code for them is left out. */
  readonly hasNulls: boolean;
}

export class ExprEmitter implements RuleContext {
  readonly prologue: CodeBuilder;
  readonly code: CodeBuilder;
  readonly row: Local;
  /** The program's argument. */
  readonly frameAddress: Local;
  active: Local | null = null;
  readonly #options: EmitterOptions;
  /** Where the room stood before the row: what a row that stops has written is given back. */
  readonly #rowRoom: Local;
  #stop: Label | null = null;
  #usesRoom = false;
  /** What was computed so far; an inner map holds what is computed only under a condition. */
  #scopes: Map<string, unknown>[] = [new Map()];
  /** Locals that are set before the loop. */
  readonly #loaded = new Map<string, Local>();

  constructor(options: EmitterOptions) {
    const locals = new FunctionLocals(['i32']);
    this.prologue = new CodeBuilder(locals);
    this.code = new CodeBuilder(locals);
    this.frameAddress = locals.parameter(0);
    this.row = locals.add('i32');
    this.#rowRoom = locals.add('i32');
    this.#options = options;
  }

  value(expr: Expr): Value {
    return this.#once(`value ${this.#options.shapes.textOf(expr)}`, () => this.#emit(expr));
  }

  remember(key: string, make: () => Local): Local {
    return this.#once(key, make);
  }

  under<Result>(condition: Local, emit: () => Result): Result {
    const outer = this.active;
    this.active = outer === null ? condition : this.#both(outer, condition);
    this.#scopes.push(new Map());
    const result = emit();
    this.#scopes.pop();
    this.active = outer;
    return result;
  }

  kernel(name: keyof Kernels, parameters: readonly ValueType[], result?: ValueType): number {
    const results = result === undefined ? [] : [result];
    return this.#options.module.importFunction('kernels', name, { parameters, results });
  }

  host(name: HostName, parameters: readonly ValueType[], result: ValueType): number {
    const signature = { parameters, results: [result] };
    return this.#options.module.importFunction('host', name, signature);
  }

  get room(): { at: Local; end: Local } {
    this.#usesRoom = true;
    return {
      at: this.fromFrame(frameLayout.textAt),
      end: this.fromFrame(frameLayout.textEnd),
    };
  }

  stopForRoom(needed: Local): void {
    const { at } = this.room;
    assert(this.#stop !== null, 'rules are used within a row');
    this.code.get(this.frameAddress);
    this.code.get(at).get(this.#rowRoom).op('i32.sub').get(needed).op('i32.add');
    this.code.at('i32.store', frameLayout.textNeeded);
    this.code.get(this.#rowRoom).set(at).branch(this.#stop);
  }

  /** Emits what comes before a row's code; a branch to `stop` ends the call before the row. */
  startRow(stop: Label): void {
    this.#stop = stop;
    this.code.get(this.fromFrame(frameLayout.textAt)).set(this.#rowRoom);
  }

  /** Emits what the frame is told at the end of the call. */
  endCall(): void {
    if (!this.#usesRoom) return;
    this.code.get(this.frameAddress).get(this.room.at).at('i32.store', frameLayout.textAt);
  }

  column({ name, nullable }: Expr & { readonly kind: 'column' }): ColumnPlace {
    const { frame, hasNulls } = this.#options;
    const offset = frame.columnOffset(name);
    const values = this.fromFrame(offset);
    return { values, validity: nullable && hasNulls ? this.fromFrame(offset + 4) : null };
  }

  literal(expr: Literal): readonly Local[] {
    const { frame, shapes } = this.#options;
    const offset = frame.literalOffset(shapes.indexOf(expr));
    const { kind } = expr.type;
    const form = formOf(expr.type);
    if (isNumberForm(form)) return [this.fromFrame(offset, form)];
    if (form === 'i128') return [offset, offset + 8].map((half) => this.fromFrame(half, 'i64'));
    if (kind !== 'utf8' && kind !== 'binary') throw new NoRule(`a literal of ${kind}`);
    const push = (code: CodeBuilder) => code.get(this.frameAddress).i32(offset).op('i32.add');
    return [this.#load(`view ${offset}`, 'i32', push)];
  }

  /** A value of the frame, loaded before the loop. */
  fromFrame(offset: number, type: ValueType = 'i32'): Local {
    return this.#load(`${type} ${offset}`, type, (code) =>
      code.get(this.frameAddress).at(`${type}.load`, offset),
    );
  }

  #load(key: string, type: ValueType, push: (code: CodeBuilder) => void): Local {
    let local = this.#loaded.get(key);
    if (local === undefined) {
      push(this.prologue);
      local = this.prologue.keep(type);
      this.#loaded.set(key, local);
    }
    return local;
  }

  #once<Result>(key: string, make: () => Result): Result {
    const known = this.#scopes.find((scope) => scope.has(key));
    if (known !== undefined) return known.get(key) as Result;
    const result = make();
    this.#scopes.at(-1)?.set(key, result);
    return result;
  }

  #both(outer: Local, condition: Local): Local {
    return this.code.get(outer).get(condition).op('i32.and').keep('i32');
  }

  #emit(expr: Expr): Value {
    switch (expr.kind) {
      case 'column':
        return columnRule(this, expr);
      case 'literal':
        return literalRule(this, expr);
      case 'compare':
        return compareRule(this, expr);
      case 'arithmetic':
        return arithmeticRule(this, expr);
      case 'logic':
        return logicRule(this, expr);
      case 'not':
        return notRule(this, expr);
      case 'isNull':
        return isNullRule(this, expr);
      case 'when':
        return whenRule(this, expr);
      case 'in':
        return inRule(this, expr);
      case 'cast':
        return castRule(this, expr);
      case 'call': {
        const rule = callRules[expr.function];
        if (rule === undefined) throw new NoRule(expr.function);
        return rule(this, expr);
      }
      default:
        return assertNever(expr);
    }
  }
}
