/**
 * Shapes of expressions: what is left when literals are taken out. Expressions of one shape share a
 * program; the literals are written into its frame.
 *
 *     price > 100 and fee > 100      price > #0 and fee > #0      literals 100
 *     price > 100 and fee > 200      price > #0 and fee > #1      literals 100, 200: another shape
 */
import type { Expr } from '../../expr/expr.ts';
import { functionTable } from '../../expr/functions/function-table.ts';
import type { Literal } from './frame.ts';

export class ExprShapes {
  /** The distinct literals, in order of first use. */
  readonly literals: Literal[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #texts = new WeakMap<Expr, string>();
  readonly #shapes = new WeakMap<Expr, unknown>();

  /** The shape as text: equal for expressions that are computed alike, and for nothing else. */
  textOf(expr: Expr): string {
    const found = this.#texts.get(expr);
    if (found !== undefined) return found;
    const text = JSON.stringify(this.#shapeOf(expr));
    this.#texts.set(expr, text);
    return text;
  }

  indexOf(literal: Literal): number {
    const { type, value } = literal;
    const key = JSON.stringify([type, value]);
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.literals.push(literal) - 1;
      this.#indexes.set(key, index);
    }
    return index;
  }

  /** Of an expression, or of what it consists of. Written as text once: text within text doubles its quotes. */
  #shapeOf(part: unknown): unknown {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map((one) => this.#shapeOf(one));
    if (!isExpr(part)) return this.#shapeOfParts(part);
    if (part.kind === 'literal') return [this.indexOf(part), part.type, part.value === null];
    const shape = this.#shapes.get(part) ?? [this.#shapeOfParts(part), constantsOf(part)];
    this.#shapes.set(part, shape);
    return shape;
  }

  #shapeOfParts(parts: object): unknown {
    const entries = Object.entries(parts).map(([name, part]) => [name, this.#shapeOf(part)]);
    return Object.fromEntries(entries);
  }
}

/** Literals that a rule's instructions depend on, such as a unit: other ones make another shape. */
function constantsOf(expr: Expr): unknown[] {
  if (expr.kind !== 'call') return [];
  const { parameters } = functionTable[expr.function];
  return expr.args.map((arg, place) =>
    parameters[place]?.isLiteral === true && arg.kind === 'literal' ? arg.value : null,
  );
}

/** Nodes have a type and say whether they may be null; nothing else in a tree does. */
function isExpr(value: unknown): value is Expr {
  return typeof value === 'object' && value !== null && 'kind' in value && 'nullable' in value;
}
