/**
 * Ordered joins: the steps of a join tree in another order than the job's. Each join has a key of every link that
 * both of its sides have columns of, and the conditions that can be asked there first.
 *
 *     links {a, b, c}, {d, e}     (x ⋈ y) ⋈ z     →     x ⋈ y on a = b     … ⋈ z on a = c and d = e
 */
import { assert } from '../../base/assert.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { columnExpr, logicExpr } from '../../engine/expr/expr-factory.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { Field, Schema } from '../../engine/schema/schema.ts';
import type { Join, JoinCondition, JoinShape, JoinTree, Relation, Relations } from './join-tree.ts';
import { inputFrom, type PlanStep, type StepInput } from './plan-step.ts';

/** Rows of some of the relations. */
interface Part {
  readonly set: Relations;
  readonly inputs: readonly StepInput[];
  readonly fields: readonly Field[];
}

/** @param root - The step that the tree ends in: who reads it reads the last of these steps. */
export function orderedJoins(
  tree: JoinTree,
  options: {
    readonly shape: JoinShape;
    readonly root: PlanStep;
    readonly nextNumber: () => number;
  },
): readonly PlanStep[] {
  const { root } = options;
  const joins = new OrderedJoins(tree, options);
  joins.partOf(options.shape);
  const { steps } = joins;
  const last = steps.at(-1);
  assert(last !== undefined && last.operator.kind === 'join', 'a tree ends in a join');
  const { output, id, name } = root.operator;
  const columns = output.fields.map((field): NamedExpr => {
    const own = tree.names.get(field.name);
    assert(own !== undefined, 'a tree gives out columns of its relations');
    return { name: field.name, expr: columnExpr({ ...field, name: own }) };
  });
  if (!columns.some(isRenamed)) {
    return [
      ...steps.slice(0, -1),
      { ...last, number: root.number, operator: { ...last.operator, output } },
    ];
  }
  const operator: OperatorSpec = { id, name, output, kind: 'project', columns };
  return [...steps, { number: root.number, operator, inputs: [inputFrom(last.number)] }];
}

class OrderedJoins {
  readonly steps: PlanStep[] = [];
  readonly #tree: JoinTree;
  readonly #nextNumber: () => number;
  readonly #root: PlanStep;
  /** Their ids are given to the new joins. */
  readonly #inner: Join[];

  constructor(tree: JoinTree, options: { root: PlanStep; nextNumber: () => number }) {
    this.#tree = tree;
    this.#nextNumber = options.nextNumber;
    this.#root = options.root;
    this.#inner = [...tree.inner];
  }

  partOf(shape: JoinShape): Part {
    if (typeof shape === 'number') return this.#relation(shape);
    const [left, right] = [this.partOf(shape.left), this.partOf(shape.right)];
    const asked = typeof shape.right === 'number' ? this.#tree.relations[shape.right]?.asked : null;
    const set = left.set | right.set;
    if (asked) return this.#joined(asked.join, { left, right, set, fields: left.fields });
    const fields = [...left.fields, ...right.fields];
    return this.#joined(this.#pairs(left, right), { left, right, set, fields });
  }

  #relation(number: number): Part {
    const { relations, conditions } = this.#tree;
    const relation = relations[number];
    assert(relation !== undefined, 'a shape is of relations of its tree');
    const set = 1 << number;
    const columns = relation.columns;
    const fields = columns.map(({ name, expr: { type, nullable } }) => ({ name, type, nullable }));
    let inputs = rowsOf(relation);
    if (columns.some(isRenamed)) {
      const { id, name } = this.#root.operator;
      inputs = this.#add({ id, name, output: { fields }, kind: 'project', columns }, inputs);
    }
    // What reads no column at all is asked of the first relation's rows.
    const own = conditions.filter(({ reads }) => reads === set || (reads === 0 && number === 0));
    const [first] = own;
    const predicate = allOf(own);
    if (first === undefined || predicate === null) return { set, inputs, fields };
    const filter: OperatorSpec = { ...first.from, output: { fields }, kind: 'filter', predicate };
    return { set, inputs: this.#add(filter, inputs), fields };
  }

  /** The inner join of two parts. */
  #pairs(left: Part, right: Part): Join {
    const { links, conditions } = this.#tree;
    const named = this.#inner.shift();
    assert(named !== undefined, 'there are as many inner joins as there were');
    const keys = links.flatMap((link) => {
      const [probe, build] = [left, right].map(({ set }) =>
        link.find(({ relation }) => (set & (1 << relation)) !== 0),
      );
      return probe && build ? [{ probe: probe.name, build: build.name }] : [];
    });
    const isWithin = (reads: Relations, { set }: Pick<Part, 'set'>) => (reads & ~set) === 0;
    const own = conditions.filter(
      ({ reads }) =>
        isWithin(reads, { set: left.set | right.set }) &&
        !isWithin(reads, left) &&
        !isWithin(reads, right),
    );
    return {
      ...named,
      buildSide: 'right',
      probeKeys: keys.map(({ probe }) => probe),
      buildKeys: keys.map(({ build }) => build),
      condition: allOf(own),
    };
  }

  #joined(
    join: Join,
    { left, right, set, fields }: Pick<Part, 'set' | 'fields'> & { left: Part; right: Part },
  ): Part {
    const { probeKeys, buildKeys } = join;
    const output: Schema = { fields };
    const inputs = this.#add({ ...join, output }, [
      ...left.inputs.map((input) => ended(input, vertexPorts.rows, probeKeys)),
      ...right.inputs.map((input) => ended(input, vertexPorts.build, buildKeys)),
    ]);
    return { set, inputs, fields };
  }

  #add(operator: OperatorSpec, inputs: readonly StepInput[]): readonly StepInput[] {
    const number = this.#nextNumber();
    this.steps.push({ number, operator, inputs });
    return [inputFrom(number)];
  }
}

function rowsOf({ inputs }: Relation): readonly StepInput[] {
  return inputs.map((input) => ({ ...input, port: vertexPorts.rows, exchange: null }));
}

function ended(input: StepInput, port: number, columns: readonly string[]): StepInput {
  return { ...input, port, exchange: { kind: 'hash', columns } };
}

function isRenamed({ name, expr }: NamedExpr): boolean {
  return expr.kind !== 'column' || expr.name !== name;
}

function allOf(conditions: readonly JoinCondition[]): Expr | null {
  return conditions
    .map(({ expr }) => expr)
    .reduce<Expr | null>((all, one) => (all === null ? one : logicExpr('and', all, one)), null);
}
