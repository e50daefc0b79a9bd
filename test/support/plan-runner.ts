/**
 * Runs whole plans in one thread: every task of a physical graph over one memory, rings between them
 * as small as asked for, tables of rows as sources. And the same job without a planner: node by node,
 * each operator over all rows at once, for comparison.
 */
import { assert } from '../../base/assert.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import { codeOf } from '../../base/typed-error.ts';
import { lower } from '../../coordinator/planner/lower.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import { FunctionCounters } from '../../engine/compile/function-context.ts';
import type { Connector, SinkSpec, SourceSpec } from '../../engine/contracts/connector.ts';
import { deadLetterSchema } from '../../engine/contracts/dead-letters.ts';
import type { DynamicFilter } from '../../engine/contracts/source.ts';
import { selectRows } from '../../engine/expr/evaluate.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { addressOf, type MemoryScope, SlotMemory } from '../../engine/memory/slot-memory.ts';
import { channelsOf, partitionCountOf, readOf } from '../../engine/plan/channels.ts';
import type { LogicalGraph, LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { PartitionBytes } from '../../engine/plan/map-output-read.ts';
import type {
  Edge,
  OperatorSpec,
  PhysicalGraph,
  Vertex,
} from '../../engine/plan/physical-graph.ts';
import { type Stage, stagesOf } from '../../engine/plan/stages.ts';
import type { UserFunctions } from '../../engine/plan/user-functions.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { buildOperator } from '../../engine/task/build-operator.ts';
import { Task } from '../../engine/task/task.ts';
import { taskMetricsBytes } from '../../engine/task/task-metrics.ts';
import { joinedRows } from './join-reference.ts';
import { MemoryDisk } from './memory-disk.ts';
import { batchOf, type Row, runModes, runOperator } from './operator-harness.ts';
import { shareOf } from './spill-space.ts';
import { newRing } from './task-world.ts';

/** A row that a source can't read: the text of its dead letter. */
export const badRow = 'can not be read';

export interface PlanInputs {
  /** By the name that `tableSource` was given. A row with the field `badRow` becomes a dead letter. */
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  /** The user's functions by operator id. */
  readonly functions: ReadonlyMap<string, UserFunctions>;
}

/** Rows of each sink, by the sink's name; those of its tasks in their order. */
export type PlanOutputs = ReadonlyMap<string, readonly Row[]>;

export function tableSource(table: string, schema: Schema): SourceSpec {
  return { connector: 'rows', options: table, schema, usesPredicate: true, canSample: true };
}

export function rowsSink(name: string, isParallel = true): SinkSpec {
  return { connector: 'rows', options: name, isParallel };
}

/** Kept between runs that leave it empty: memories are dear. */
let kept: { memory: SlotMemory; kernels: Kernels } | null = null;

/** What has run of a plan: what its tasks have written for others. */
export type Written = ReadonlyMap<string, PartitionBytes>;

/** The plan for what has not started yet, and vertices that had better wait. */
export type Adapt = (written: Written) => {
  readonly graph: PhysicalGraph;
  readonly held: ReadonlySet<string>;
};

/** Runs all tasks of a plan in turn until they are done; those of one stage after those of another. */
export function runPlan(
  graph: PhysicalGraph,
  inputs: PlanInputs,
  adapt: Adapt = () => ({ graph, held: new Set() }),
): PlanOutputs {
  const parts = runPlanInParts(graph, inputs, adapt);
  return new Map([...parts].map(([name, ofTasks]) => [name, ofTasks.flat()]));
}

/** The same, by task of each sink. */
export function runPlanInParts(
  graph: PhysicalGraph,
  inputs: PlanInputs,
  adapt: Adapt = () => ({ graph, held: new Set() }),
): ReadonlyMap<string, readonly (readonly Row[])[]> {
  const { memory, kernels } = kept ?? newMemory();
  kept = null;
  const parts = new Map<string, Row[][]>();
  const connectors = new Map([['rows', rowsConnector(inputs.tables, parts)]]);
  const { functions } = inputs;
  const around = { memory, kernels, connectors, functions, disk: new MemoryDisk() };
  const splits = new Map(graph.vertices.map(({ id, chain }) => [id, splitsOf(chain[0], inputs)]));
  const written = new Map<string, PartitionBytes>();
  for (;;) {
    const next = nextStage(adapt(written), written);
    if (next === null) break;
    const tasks = tasksOf(next.graph, next.vertices, around);
    runTasks(tasks, splits);
    for (const { task } of tasks) written.set(task.id, task.partitionBytes);
  }
  memory.assertEmpty();
  kept = { memory, kernels };
  return parts;
}

/** The first stage that can run, of those that need not wait if there is one; null at the end. */
function nextStage({ graph, held }: ReturnType<Adapt>, written: Written) {
  const hasRun = (id: string) => written.has(`${id}[0]`);
  const isReady = ({ vertexIds }: Stage) =>
    graph.edges.every(
      ({ from, to, isBlocking }) => !isBlocking || !vertexIds.includes(to) || hasRun(from),
    );
  const ready = stagesOf(graph).filter((stage) => !stage.vertexIds.some(hasRun) && isReady(stage));
  const isFree = ({ vertexIds }: Stage) => !vertexIds.some((id) => held.has(id));
  const stage = ready.find(isFree) ?? ready[0];
  if (stage === undefined) return null;
  return { graph, vertices: graph.vertices.filter(({ id }) => stage.vertexIds.includes(id)) };
}

function runTasks(
  tasks: readonly { readonly task: Task; readonly vertexId: string }[],
  splits: ReadonlyMap<string, [string, number, number][]>,
): void {
  try {
    let open = tasks;
    for (let round = 0; open.length > 0; round++) {
      assert(round < 100_000, 'a plan comes to an end');
      for (const { task, vertexId } of open) {
        if (!task.wantsSplit) continue;
        const payload = splits.get(vertexId)?.shift();
        task.offerSplit(payload === undefined ? null : { id: 'split', sizeBytes: 1, payload });
      }
      open = open.filter(({ task }) => task.run() !== 'done');
    }
  } finally {
    for (const { task } of tasks) task.close();
  }
}

function newMemory() {
  const memory = new SlotMemory({ budgetBytes: 256 * 1024 * 1024, poison: true });
  return { memory, kernels: instantiateKernels(memory.memory) };
}

interface Surroundings {
  readonly memory: SlotMemory;
  readonly kernels: Kernels;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly functions: ReadonlyMap<string, UserFunctions>;
  readonly disk: SyncDisk;
}

function tasksOf(graph: PhysicalGraph, vertices: readonly Vertex[], surroundings: Surroundings) {
  const rings = graph.edges.filter(({ isBlocking }) => !isBlocking);
  const ends = new Map(rings.map((edge) => [edge.id, ringsOf(graph, edge)]));
  const endsOf = (edge: Edge, isOwn: (ring: TinyRing) => boolean) => ({
    rings: (ends.get(edge.id) ?? []).filter(isOwn),
    edge: { output: edge.output, port: edge.port, exchange: edge.exchange, schema: edge.schema },
  });
  const fileOf = ({ id, from }: Edge, index: number) => ({
    ...{ path: `shuffle/${id}-${index}.map`, taskId: `${from}[${index}]`, attempt: 1 },
  });
  const filesOf = (edge: Edge, taskIndex: number) =>
    channelsOf(graph, edge)
      .filter(({ receiver }) => edge.isBlocking && receiver === taskIndex)
      .map(({ sender }) => fileOf(edge, sender));
  let now = 0;
  return vertices.flatMap((vertex) =>
    Array.from({ length: vertex.parallelism }, (_, taskIndex) => {
      const incoming = graph.edges.filter(({ to }) => to === vertex.id);
      const outgoing = graph.edges.filter(({ from }) => from === vertex.id);
      const task = new Task({
        ...surroundings,
        id: `${vertex.id}[${taskIndex}]`,
        taskIndex,
        attempt: 1,
        vertex,
        inputs: incoming
          .map((edge) => ({
            ...endsOf(edge, ({ receiver }) => receiver === taskIndex),
            files: filesOf(edge, taskIndex),
            partitions: readOf(graph, edge, taskIndex).partitions,
          }))
          .map(({ edge, rings: own, ...files }) => {
            return { ...edge, ...files, rings: own.map(({ reader }) => reader) };
          }),
        outputs: outgoing
          .map((edge) => ({
            ...endsOf(edge, ({ sender }) => sender === taskIndex),
            edgeId: edge.id,
            file: edge.isBlocking ? fileOf(edge, taskIndex) : null,
            partitionCount: partitionCountOf(graph, edge),
          }))
          .map(({ edge, rings: own, ...files }) => {
            return { ...edge, ...files, messageBytes: 32, rings: own.map(({ writer }) => writer) };
          }),
        // Every look at the clock takes a quarter of a millisecond, so slices do end.
        clock: { mono: () => (now += 0.25), wall: () => 1_800_000_000_000 + now },
        preparedSink: null,
        spillFolder: 'spill',
        memoryShare: shareOf(32 << 20),
        metrics: new ArrayBuffer(taskMetricsBytes(vertex.chain.length)),
      });
      return { task, vertexId: vertex.id };
    }),
  );
}

interface TinyRing extends ReturnType<typeof newRing> {
  readonly sender: number;
  readonly receiver: number;
}

/** A ring of one slot of 64 bytes for each pair of tasks: always full. */
function ringsOf({ vertices }: PhysicalGraph, { from, to, exchange }: Edge): TinyRing[] {
  const tasks = (id: string) => {
    const length = vertices.find((vertex) => vertex.id === id)?.parallelism ?? 0;
    return Array.from({ length }, (_, index) => index);
  };
  return tasks(from).flatMap((sender) =>
    tasks(to)
      .filter((receiver) => exchange.kind !== 'forward' || receiver === sender)
      .map((receiver) => ({ sender, receiver, ...newRing(1, 64) })),
  );
}

/** Ranges of a source's rows, some of them empty. */
function splitsOf(
  first: OperatorSpec | undefined,
  { tables }: PlanInputs,
): [string, number, number][] {
  if (first?.kind !== 'source') return [];
  const table = String(first.source.options);
  const { length } = tables[table] ?? [];
  const starts = Array.from({ length: 4 }, (_, at) => Math.floor((length * at) / 4));
  return starts.map((start, at) => [table, start, starts[at + 1] ?? length]);
}

function rowsConnector(tables: PlanInputs['tables'], parts: Map<string, Row[][]>): Connector {
  return {
    name: 'rows',
    reader(_options, { scope, schema, hasDeadLetters, predicate }) {
      let left: Row[] = [];
      let letters: Row[] = [];
      let filters: readonly DynamicFilter[] = [];
      return {
        narrow(given) {
          filters = given;
        },
        open({ payload }) {
          const [table, start, end] = payload as [string, number, number];
          left = (tables[table] ?? []).slice(start, end);
        },
        read() {
          if (left.length === 0) return 'end';
          const next = left.splice(0, 1 + (left.length % 30));
          const good = next.filter((row) => !(badRow in row));
          const bad = next.filter((row) => badRow in row);
          assert(
            bad.length === 0 || hasDeadLetters,
            'a source without dead letters reads all rows',
          );
          letters.push(...bad.map(letterOf));
          const wanted = filters.reduce((rows, filter) => selectedBy(filter, rows, scope), good);
          if (wanted.length === 0) return 'more';
          const batch = batchOf(scope, schema, wanted);
          if (!predicate || holdsAny(predicate, batch, scope)) return batch;
          batch.release();
          return 'more';
        },
        takeDeadLetters() {
          const taken = letters;
          letters = [];
          return taken.length === 0 ? null : batchOf(scope, deadLetterSchema, taken);
        },
        bytesRead: 0,
        position: () => 'nowhere',
        close() {},
      };
    },
    writer(options, _prepared, { taskIndex }) {
      const name = String(options);
      return {
        write(batch) {
          const own = parts.get(name) ?? [];
          parts.set(name, own);
          own[taskIndex] = [...(own[taskIndex] ?? []), ...readRows(batch)];
        },
        finish: () => ({ name }),
        close() {},
      };
    },
  };
}

/** The rows that a dynamic filter selects. */
function selectedBy(filter: DynamicFilter, rows: Row[], scope: MemoryScope): Row[] {
  if (rows.length === 0) return rows;
  const batch = batchOf(scope, { fields: filter.fields }, rows);
  const { selection, rowCount } = filter.select(batch);
  batch.release();
  if (selection === 0) return rowCount === 0 ? [] : rows;
  const first = addressOf(selection) >>> 2;
  const numbers = [...scope.memory.uint32.slice(first, first + rowCount)];
  scope.memory.release(selection);
  return numbers.map((number) => rows[number] as Row);
}

function letterOf(row: Row): Row {
  return { origin: 'a table', reason: 'it is bad', text: row[badRow], bytes: null };
}

/** What the job's sinks get when each node is computed for itself, over all of its rows. */
export function referenceOutputs(
  { nodes }: LogicalGraph,
  { tables, functions }: PlanInputs,
): PlanOutputs {
  const found = new Map<string, readonly Row[]>();
  const schemas = new Map(nodes.map(({ id, schema }) => [id, schema]));
  const outputs = new Map<string, readonly Row[]>();
  for (const node of nodes) {
    const rows = node.inputs.flatMap((id) => found.get(id) ?? []);
    if (node.kind === 'source') {
      found.set(node.id, tables[String(node.source.options)] ?? []);
    } else if (node.kind === 'sink') {
      outputs.set(
        String(node.sink.options),
        rows.filter((row) => !(badRow in row)),
      );
    } else if (node.kind === 'join') {
      const [left, right] = node.inputs.map((id) => ({
        schema: schemas.get(id) ?? { fields: [] },
        rows: (found.get(id) ?? []).filter((row) => !(badRow in row)),
      }));
      assert(left !== undefined && right !== undefined, 'a join has two inputs');
      found.set(node.id, joinedRows(node, left, right));
    } else if (node.kind === 'intersect' || node.kind === 'except') {
      const [left = [], right = []] = node.inputs.map((id) =>
        (found.get(id) ?? []).filter((row) => !(badRow in row)),
      );
      found.set(node.id, setRows(node, left, right));
    } else if (node.kind === 'deadLetters') {
      found.set(node.id, rows.filter((row) => badRow in row).map(letterOf));
    } else {
      const input = schemas.get(node.inputs[0] ?? '') ?? { fields: [] };
      const good = rows.filter((row) => !(badRow in row));
      found.set(
        node.id,
        computed(
          lower(node, input).map(({ operator }) => operator),
          { input, rows: good, functions },
        ),
      );
    }
  }
  return outputs;
}

/** Each row of the left side that finds an equal one on the right, which is then used up; or finds none. */
function setRows(
  { kind, isAll }: LogicalNode & { readonly kind: 'intersect' | 'except' },
  left: readonly Row[],
  right: readonly Row[],
): Row[] {
  const distinct = (rows: readonly Row[]) => [
    ...new Map(rows.map((row) => [rowText(row), row])).values(),
  ];
  const others = (isAll ? right : distinct(right)).map(rowText);
  return (isAll ? left : distinct(left)).filter((row) => {
    const place = others.indexOf(rowText(row));
    if (place >= 0) others.splice(place, 1);
    return place >= 0 === (kind === 'intersect');
  });
}

interface Given {
  readonly input: Schema;
  readonly rows: readonly Row[];
  readonly functions: ReadonlyMap<string, UserFunctions>;
}

function computed(operators: readonly OperatorSpec[], given: Given): readonly Row[] {
  let { input, rows } = given;
  const [whole] = runModes;
  assert(whole !== undefined, 'there is a plain way to run operators');
  for (const spec of operators) {
    const schema = input;
    const build = (context: Parameters<typeof buildOperator>[1]['context']) =>
      buildOperator(spec, {
        context,
        input: schema,
        functions: given.functions,
        preparedSink: null,
        counters: new FunctionCounters(),
        clock: { mono: () => 0, wall: () => 1_800_000_000_000 },
        connectors: new Map(),
        disk: noDisk,
        taskIndex: 0,
        attempt: 1,
      });
    rows = runOperator({ input, rows, build, expected: [] }, whole);
    input = spec.output;
  }
  return rows;
}

/** Rows as sorted texts, for comparing without an order. */
export function textsOf(rows: readonly Row[] = []): string[] {
  return rows.map(rowText).sort();
}

function rowText(row: Row): string {
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
}

const noDisk = new Proxy({} as SyncDisk, {
  get() {
    throw new Error('these tasks use no disk');
  },
});

/** Whether a source has to give a batch out; one that can't say for sure does. */
function holdsAny(predicate: Expr, batch: Batch, scope: MemoryScope): boolean {
  try {
    const { selection, rowCount } = selectRows(predicate, batch, scope);
    if (selection !== 0) scope.memory.release(selection);
    return rowCount > 0;
  } catch (error) {
    if (codeOf(error) === null) throw error;
    return true; // The filter finds the same row, and says what is wrong with it.
  }
}
