/**
 * Plan steps: what the planner's rules work on. A plan in the making is a list of operators, what is
 * read before what reads it. Each knows by number what it reads, and the exchange that the rows go
 * through on the way.
 *
 *     1 source    2 explodeWords ← 1    3 aggregate ← 2 (hash by word)    4 sink ← 3 (gather)
 *
 * A step that reads several is a union of them: it gets the columns that all have. A join has two such
 * inputs, each on a port of its own, whose columns have different names. Several may read one.
 * Lowering makes a list that is right but slow, with every exchange that an operator's meaning asks
 * for; each rule answers a new list that means the same. Steps without an exchange are chained.
 */
import { assert } from '../../base/assert.ts';
import { deadLetterSchema } from '../../engine/contracts/dead-letters.ts';
import type { SourceStatistics } from '../../engine/contracts/source.ts';
import type { NamedExpr } from '../../engine/expr/expr.ts';
import type { JobMode } from '../../engine/plan/logical-graph.ts';
import {
  type Exchange,
  hasBuildSide,
  hasSecondStream,
  type OperatorSpec,
  vertexOutputs,
  vertexPorts,
} from '../../engine/plan/physical-graph.ts';
import { fieldIndexOf, type Schema } from '../../engine/schema/schema.ts';

/** One of the operators that carry out a logical node, each behind the one before it. */
export interface LoweredStep {
  readonly operator: OperatorSpec;
  /** What the rows go through before this operator. */
  readonly exchange: Exchange | null;
  /** Of the operator that puts rows aside: these as the node has read them. */
  readonly aside?: readonly NamedExpr[];
}

export function stepOf(operator: OperatorSpec, exchange: Exchange | null = null): LoweredStep {
  return { operator, exchange };
}

/** What is done to the rows of one input of a node with two. */
export interface LoweredSide {
  /** What its rows go through before the operators. @defaultValue nothing */
  readonly before?: Exchange;
  readonly operators: readonly OperatorSpec[];
  /** What its rows go through then. */
  readonly exchange: Exchange | null;
  /** Where they come in: one of `vertexPorts`. */
  readonly port: number;
}

export interface LoweredNode {
  /** Left, right. @defaultValue rows come as they are */
  readonly sides?: readonly LoweredSide[];
  /** What is done to all rows then. */
  readonly steps: readonly LoweredStep[];
}

/** What a step reads. */
export interface StepInput {
  /** Number of the step whose output it is. */
  readonly from: number;
  /** Which of its outputs: one of `vertexOutputs`; of what it puts aside, `aside`. */
  readonly output: number;
  /** Which input of the step it is: one of `vertexPorts`. */
  readonly port: number;
  /** What the rows go through; null when they stay in their task. */
  readonly exchange: Exchange | null;
  /** The columns that come, in their order; null for all. Steps of one task read all. */
  readonly columns: readonly string[] | null;
}

export interface PlanStep {
  /** Unlike that of any other step; it says nothing about the order. */
  readonly number: number;
  readonly operator: OperatorSpec;
  readonly inputs: readonly StepInput[];
}

/** A rule: a list of steps that means the same. */
export type PlanRule = (steps: readonly PlanStep[], options: PlanOptions) => readonly PlanStep[];

/** Where rows are on their way between tasks: in rings, or in files between stages. */
export type Shuffle = 'memory' | 'disk';

export interface PlanOptions {
  /** Tasks of each vertex that can have several, from 1 on. */
  readonly parallelism: number;
  /**
   * Whether aggregates are split also where no exchange is behind them: an unaligned checkpoint may have rows between the
   * phases, and another parallelism. @defaultValue false
   */
  readonly keepsPhases?: boolean;
  /** What is known of sources, by the id of their operators. @defaultValue nothing */
  readonly statistics?: ReadonlyMap<string, SourceStatistics>;
  /** @defaultValue 'memory' */
  readonly shuffle?: Shuffle;
  /** @defaultValue as the graph says */
  readonly mode?: JobMode;
  /** Of streams: milliseconds between the latency marks of a source; null for none. @defaultValue 50 */
  readonly latencyIntervalMs?: number | null;
  /** Only tests that show what a rule does give others. @defaultValue planRules */
  readonly rules?: readonly PlanRule[];
}

/** The rows of step `from`, through `exchange`. */
export function inputFrom(from: number, exchange: Exchange | null = null): StepInput {
  const [output, port] = [vertexOutputs.rows, vertexPorts.rows];
  return { from, output, port, exchange, columns: null };
}

/** Whether the step's rows come from where they were made, without an exchange. */
export function isLocal({ inputs }: PlanStep): boolean {
  return inputs.every(({ exchange }) => exchange === null);
}

/** Numbers that no step has. */
export function numberAfter(steps: readonly PlanStep[]): () => number {
  let last = Math.max(0, ...steps.map(({ number }) => number));
  return () => ++last;
}

/** The list without a step that hands rows on: who read it reads what it read. */
export function withoutStep(steps: readonly PlanStep[], number: number): readonly PlanStep[] {
  const removed = new StepIndex(steps).step(number);
  return steps.flatMap((step) => {
    if (step === removed) return [];
    const inputs = step.inputs.flatMap((input) => {
      if (input.from !== number) return [input];
      const { exchange, port } = input;
      return removed.inputs.map((before) => ({ ...before, exchange, port }));
    });
    return [{ ...step, inputs }];
  });
}

/** Looks up steps of a list, and who reads them. */
export class StepIndex {
  readonly #byNumber: ReadonlyMap<number, PlanStep>;
  readonly #readers = new Map<number, PlanStep[]>();
  /** Steps whose dead letters somebody reads. */
  readonly #withLetters = new Set<number>();
  /** Steps that put rows aside for somebody. */
  readonly #withAside = new Set<number>();

  constructor(steps: readonly PlanStep[]) {
    this.#byNumber = new Map(steps.map((step) => [step.number, step]));
    for (const step of steps) {
      for (const { from, output } of step.inputs) {
        if (output === vertexOutputs.deadLetters) this.#withLetters.add(from);
        if (output === vertexOutputs.aside) this.#withAside.add(from);
        if (output !== vertexOutputs.rows) continue;
        const readers = this.#readers.get(from);
        if (readers === undefined) this.#readers.set(from, [step]);
        else readers.push(step);
      }
    }
  }

  step(number: number): PlanStep {
    const step = this.#byNumber.get(number);
    assert(step !== undefined, 'a step reads steps of its plan');
    return step;
  }

  /** Who reads the step's rows; twice who reads them twice. */
  readersOf(number: number): readonly PlanStep[] {
    return this.#readers.get(number) ?? [];
  }

  /** Whether what the step can't read goes to somebody; then it is read whole. */
  hasDeadLetters({ number }: PlanStep): boolean {
    return this.#withLetters.has(number);
  }

  /** Whether somebody reads the rows that the step puts aside, as they came into it. */
  putsAside({ number }: PlanStep): boolean {
    return this.#withAside.has(number);
  }

  /**
   * The step whose task this one runs in, right behind it, of a join on its probe side; null when its rows
   * come by edges.
   */
  chainedBehind(step: PlanStep): PlanStep | null {
    const [input, ...others] = step.inputs.filter(({ port }) => port === vertexPorts.rows);
    if (input === undefined || others.length > 0 || hasSecondStream(step.operator)) return null;
    if (input.exchange !== null || input.output !== vertexOutputs.rows) return null;
    if (this.readersOf(input.from).length !== 1) return null;
    const before = this.step(input.from);
    return hasBuildSide(step.operator) && this.#buildReads(step, before) ? null : before;
  }

  /** Whether a build side is made of dead letters, or rows put aside, of what the probe side is made of: then it can't wait for it. */
  #buildReads({ inputs }: PlanStep, probe: PlanStep): boolean {
    const own = this.#stepsBefore([probe]);
    const isSide = (output: number) => output !== vertexOutputs.rows;
    const builds = inputs.filter(({ port }) => port === vertexPorts.build);
    const others = this.#stepsBefore(builds.map(({ from }) => this.step(from)));
    return [...others].some((step) =>
      step.inputs.some(({ from, output }) => isSide(output) && own.has(this.step(from))),
    );
  }

  #stepsBefore(steps: readonly PlanStep[]): ReadonlySet<PlanStep> {
    const found = new Set(steps);
    // A set that is added to while it is gone through goes through what is added.
    for (const { inputs } of found) for (const { from } of inputs) found.add(this.step(from));
    return found;
  }

  /**
   * What the step's operator reads at a port, of several streams the columns that all have; of a join, the
   * columns of both ports beside each other.
   */
  inputSchemaOf({ inputs }: PlanStep, port?: number): Schema {
    const ports = port === undefined ? Object.values(vertexPorts) : [port];
    const schemas = ports.map((one): Schema => {
      const [first, ...others] = inputs.filter((input) => input.port === one);
      if (first === undefined) return { fields: [] };
      return others.map((input) => this.#schemaOf(input)).reduce(commonOf, this.#schemaOf(first));
    });
    return { fields: schemas.flatMap(({ fields }) => fields) };
  }

  #schemaOf({ from, output, columns }: StepInput): Schema {
    const schema = this.#outputSchemaOf(this.step(from), output);
    return columns === null ? schema : columnsOf(schema, columns);
  }

  #outputSchemaOf(step: PlanStep, output: number): Schema {
    if (output === vertexOutputs.rows) return step.operator.output;
    return output === vertexOutputs.aside ? this.inputSchemaOf(step) : deadLetterSchema;
  }
}

/** The fields of these names, in the schema's order. */
export function columnsOf({ fields }: Schema, names: Iterable<string>): Schema {
  const wanted = new Set(names);
  return { fields: fields.filter((field) => wanted.has(field.name)) };
}

/** The fields that both have, of the same types; nullable where one is. */
function commonOf(first: Schema, second: Schema): Schema {
  return {
    fields: first.fields.flatMap((field) => {
      const other = second.fields[fieldIndexOf(second, field.name)];
      if (other === undefined) return [];
      return [field.nullable || !other.nullable ? field : { ...field, nullable: true }];
    }),
  };
}
