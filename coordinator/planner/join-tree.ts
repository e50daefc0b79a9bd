/**
 * Join trees: inner joins that stand on each other, taken apart into what they join and on what. Any order of
 * these joins gives the same rows.
 *
 *     join c = d                     relations   lines, orders, customers, (semi) returns
 *     ├ join a = b, semi join on a    links       {a, b}, {c, d}
 *     │ ├ lines ├ orders              conditions  over columns of several relations
 *     └ customers
 *
 * A link is a set of columns of different relations that are all equal in the end: if a = b and b = c, then a
 * and c may be joined before b is there. A semi or an anti join asks rows of the tree, so it may be asked as
 * soon as the columns that it reads are there; what it asks them about is a relation whose columns nobody sees.
 *
 * A tree ends at outer and cross joins, at joins that have a hint or a name of the job's, at conditions that may
 * fail (asked of other pairs, they would add errors), and where others read the rows as well. Columns
 * have names of their own within the tree, for a projection may have renamed them in between.
 */
import { assert } from '../../base/assert.ts';
import { addColumnNames } from '../../engine/expr/column-names.ts';
import { conditionsOf } from '../../engine/expr/conditions.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { mapExpr } from '../../engine/expr/expr-children.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import { mayFail } from '../../engine/expr/may-fail.ts';
import { isOneSided } from '../../engine/plan/join-type.ts';
import { type OperatorSpec, vertexOutputs, vertexPorts } from '../../engine/plan/physical-graph.ts';
import { freeName, type Schema } from '../../engine/schema/schema.ts';
import type { PlanStep, StepIndex, StepInput } from './plan-step.ts';

export type Join = OperatorSpec & { readonly kind: 'join' };

/** Sets of relations, a bit each. */
export type Relations = number;

export interface Relation {
  readonly inputs: readonly StepInput[];
  /** Its columns under the names that they have within the tree. */
  readonly columns: readonly NamedExpr[];
  /** The semi or anti join that asks rows of `reads` about it; null where its pairs are wanted. */
  readonly asked: { readonly join: Join; readonly reads: Relations } | null;
}

export interface LinkMember {
  readonly relation: number;
  /** Name of the column within the tree. */
  readonly name: string;
}

export interface JoinCondition {
  readonly expr: Expr;
  readonly reads: Relations;
  /** Under whose id and name it is asked where no join asks it. */
  readonly from: Pick<OperatorSpec, 'id' | 'name'>;
}

/** In which order relations are joined: one, or what stands on two. */
export type JoinShape = number | { readonly left: JoinShape; readonly right: JoinShape };

export interface JoinTree {
  readonly relations: readonly Relation[];
  readonly links: readonly (readonly LinkMember[])[];
  readonly conditions: readonly JoinCondition[];
  /** The inner joins, the lowest first. */
  readonly inner: readonly Join[];
  /** As the job has it. */
  readonly shape: JoinShape;
  /** What the tree gives out: names within it, by their names behind it. */
  readonly names: ReadonlyMap<string, string>;
  /** Numbers of the steps that are taken apart. */
  readonly steps: ReadonlySet<number>;
}

const relationsMax = 30;

/** The tree that ends in the step; null where that is no join of at least three relations. */
export function joinTreeOf(step: PlanStep, index: StepIndex): JoinTree | null {
  if (!isReordered(step.operator)) return null;
  const parts = new TreeParts(index);
  const { shape, names } = parts.join(step, step.operator);
  const { relations, links, conditions, inner, steps } = parts;
  if (relations.length < 3 || relations.length > relationsMax) return null;
  return { relations, links, conditions, inner, shape, names, steps };
}

function isReordered(operator: OperatorSpec): operator is Join {
  if (operator.kind !== 'join' || operator.hasHint || operator.name !== 'join') return false;
  const { type, buildSide, probeKeys, condition } = operator;
  const isMovable = type === 'inner' || (isOneSided(type) && buildSide === 'right');
  return isMovable && probeKeys.length > 0 && (condition === null || !mayFail(condition));
}

/** Steps that hand rows of a tree on: conditions that can't fail, and columns under other names. */
function isBetween(operator: OperatorSpec): boolean {
  if (operator.kind === 'filter') return !mayFail(operator.predicate);
  return (
    operator.kind === 'project' && operator.columns.every(({ expr }) => expr.kind === 'column')
  );
}

interface Part {
  readonly shape: JoinShape;
  readonly names: ReadonlyMap<string, string>;
}

class TreeParts {
  readonly relations: Relation[] = [];
  readonly links: LinkMember[][] = [];
  readonly conditions: JoinCondition[] = [];
  readonly inner: Join[] = [];
  readonly steps = new Set<number>();
  readonly #index: StepIndex;
  readonly #taken = new Set<string>();
  /** The relation of each name within the tree. */
  readonly #owners = new Map<string, number>();

  constructor(index: StepIndex) {
    this.#index = index;
  }

  join(step: PlanStep, join: Join): Part {
    this.steps.add(step.number);
    const [probe, build] = [vertexPorts.rows, vertexPorts.build];
    const ports = join.buildSide === 'right' ? [probe, build] : [build, probe];
    const [leftPort = probe, rightPort = build] = ports;
    const left = this.#side(step, leftPort);
    if (join.type !== 'inner') {
      const asked = this.#relation(step, rightPort);
      this.#ask(asked.shape, renamedJoin(join, new Map([...left.names, ...asked.names])));
      return { shape: { left: left.shape, right: asked.shape }, names: left.names };
    }
    const right = this.#side(step, rightPort);
    const shape = { left: left.shape, right: right.shape };
    const names = new Map([...left.names, ...right.names]);
    this.inner.push(join);
    for (const [at, key] of join.probeKeys.entries()) {
      this.#link(nameIn(names, key), nameIn(names, join.buildKeys[at] ?? ''));
    }
    if (join.condition !== null) this.#addConditions(join.condition, names, join);
    return { shape, names: new Map([...names].filter(([name]) => gives(join.output, name))) };
  }

  #side(step: PlanStep, port: number): Part {
    const inputs = step.inputs.filter((input) => input.port === port);
    const below = this.#belowOf(inputs);
    return below === null ? this.#relation(step, port) : this.#node(below);
  }

  #node(step: PlanStep): Part {
    const { operator } = step;
    if (operator.kind === 'join') return this.join(step, operator);
    this.steps.add(step.number);
    const { shape, names } = this.#side(step, vertexPorts.rows);
    if (operator.kind === 'filter') this.#addConditions(operator.predicate, names, operator);
    if (operator.kind !== 'project') return { shape, names };
    const renamed = operator.columns.map(({ name, expr }) => {
      assert(expr.kind === 'column', 'a projection within a tree only renames');
      return [name, nameIn(names, expr.name)] as const;
    });
    return { shape, names: new Map(renamed) };
  }

  /** The step that the inputs come from, if it is part of the tree. */
  #belowOf(inputs: readonly StepInput[]): PlanStep | null {
    const [input, ...others] = inputs;
    if (input === undefined || others.length > 0 || input.columns !== null) return null;
    if (input.output !== vertexOutputs.rows) return null;
    if (this.#index.readersOf(input.from).length !== 1) return null;
    const step = this.#index.step(input.from);
    if (isReordered(step.operator)) return step;
    return isBetween(step.operator) && this.#belowOf(step.inputs) !== null ? step : null;
  }

  #relation(step: PlanStep, port: number): Part & { readonly shape: number } {
    const inputs = step.inputs.filter((input) => input.port === port);
    const number = this.relations.length;
    const schema = this.#index.inputSchemaOf(step, port);
    const names = new Map(
      schema.fields.map(({ name }) => {
        const own = this.#taken.has(name) ? freeName(name, this.#taken) : name;
        this.#taken.add(own);
        this.#owners.set(own, number);
        return [name, own] as const;
      }),
    );
    const columns = schema.fields.map((field) => {
      return { name: nameIn(names, field.name), expr: columnExpr(field) };
    });
    this.relations.push({ inputs, columns, asked: null });
    return { shape: number, names };
  }

  #ask(number: number, join: Join): void {
    const relation = this.relations[number];
    assert(relation !== undefined, 'a relation that is asked about was found before');
    const read = new Set(join.probeKeys);
    if (join.condition !== null) addColumnNames(join.condition, read);
    const reads = this.#relationsOf(read) & ~(1 << number);
    this.relations[number] = { ...relation, asked: { join, reads } };
  }

  #addConditions(
    predicate: Expr,
    names: ReadonlyMap<string, string>,
    { id, name }: OperatorSpec,
  ): void {
    for (const condition of conditionsOf(predicate)) {
      const expr = renamedExpr(condition, names);
      const read = new Set<string>();
      addColumnNames(expr, read);
      this.conditions.push({ expr, reads: this.#relationsOf(read), from: { id, name } });
    }
  }

  #relationsOf(names: Iterable<string>): Relations {
    return [...names].reduce((all, name) => all | (1 << this.#ownerOf(name)), 0);
  }

  #ownerOf(name: string): number {
    const owner = this.#owners.get(name);
    assert(owner !== undefined, 'a column within a tree is of one of its relations');
    return owner;
  }

  /** Two columns are equal; and so is what either is equal to, unless that is of the other's relation. */
  #link(left: string, right: string): void {
    const sets = [left, right].map((name): LinkMember[] => {
      const found = this.links.find((link) => link.some((member) => member.name === name));
      return found ?? [{ relation: this.#ownerOf(name), name }];
    });
    const [a = [], b = []] = sets;
    if (a === b) return;
    const areApart = a.every((one) => b.every((other) => one.relation !== other.relation));
    if (areApart) {
      const others = this.links.filter((link) => link !== a && link !== b);
      this.links.splice(0, this.links.length, ...others, [...a, ...b]);
      return;
    }
    this.links.push([left, right].map((name) => ({ relation: this.#ownerOf(name), name })));
  }
}

function gives({ fields }: Schema, name: string): boolean {
  return fields.some((field) => field.name === name);
}

function nameIn(names: ReadonlyMap<string, string>, name: string): string {
  const found = names.get(name);
  assert(found !== undefined, 'a step reads columns that come in');
  return found;
}

function renamedJoin(join: Join, names: ReadonlyMap<string, string>): Join {
  const { probeKeys, buildKeys, condition } = join;
  return {
    ...join,
    probeKeys: probeKeys.map((name) => nameIn(names, name)),
    buildKeys: buildKeys.map((name) => nameIn(names, name)),
    condition: condition && renamedExpr(condition, names),
  };
}

function renamedExpr(expr: Expr, names: ReadonlyMap<string, string>): Expr {
  return mapExpr(expr, (part) =>
    part.kind === 'column' ? { ...part, name: nameIn(names, part.name) } : part,
  );
}
