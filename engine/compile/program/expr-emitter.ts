/**
 * Emits the code that computes expressions for one row, and the code before the loop that it stands
 * on. A node that occurs several times is computed once.
 *
 *     prologue   addresses of columns and outputs, literals: from the frame into locals
 *     body       straight-line code of the row; what costs much behind `if active`
 */
import { assertNever } from '../../../base/assert.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import { arithmeticRule } from '../rules/arithmetic-rule.ts';
import { compareRule } from '../rules/compare-rule.ts';
import { columnRule, literalRule } from '../rules/leaf-rules.ts';
import { isNullRule, logicRule, notRule } from '../rules/logic-rules.ts';
import { type ColumnPlace, NoRule, type RuleContext } from '../rules/rule-context.ts';
import { formOf, isNumberForm, type Value } from '../rules/value.ts';
import { CodeBuilder, FunctionLocals, type Local } from '../wasm/code-builder.ts';
import type { ValueType } from '../wasm/instructions.ts';
import type { ModuleBuilder } from '../wasm/module-builder.ts';
import type { ExprShapes } from './expr-shape.ts';
import type { FrameBuilder, Literal } from './frame.ts';

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
    if (kind !== 'utf8') throw new NoRule(`a literal of ${kind}`);
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
      case 'cast':
      case 'in':
      case 'call':
        throw new NoRule(expr.kind === 'call' ? expr.function : expr.kind);
      default:
        return assertNever(expr);
    }
  }
}
