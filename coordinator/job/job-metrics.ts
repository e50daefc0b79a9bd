/**
 * The counters of a running job, kept by task and added up for people. Of a task's attempts the first one
 * that is kept counts, so that what ran twice, or runs twice now, is counted once.
 */
import { type LatencySummary, summarizeLatency } from '../../base/latency-histogram.ts';
import { type Skipped, sumOfSkipped } from '../../engine/contracts/source.ts';
import {
  type OperatorSpec,
  type PhysicalGraph,
  vertexOutputs,
} from '../../engine/plan/physical-graph.ts';
import type { OperatorLatency } from '../../engine/task/task-latency.ts';
import { type OperatorCounters, type TaskCounters, vertexIdOf } from '../protocol.ts';

export interface OperatorTotals {
  /** Of the logical operator; several physical ones may carry out one. */
  readonly id: string;
  readonly name: string;
  readonly kind: OperatorSpec['kind'];
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** Busy time, summed over all tasks. */
  readonly busySeconds: number;
  /** Put into spill files, by all tasks. */
  readonly bytesSpilled: number;
  /** Rows that went another way than others, by what is said of them: late, future. Absent where there are none. */
  readonly notedRows?: Readonly<Record<string, number>>;
  /** From when rows were read, or due by their source's pace, until the operator had worked on them. */
  readonly latency?: LatencySummary;
  /** From when event time came to a window's end until the window was given out. */
  readonly windowDelay?: LatencySummary;
}

export interface JobTotals {
  readonly rowsIn: number;
  readonly bytesIn: number;
  readonly rowsOut: number;
  /** Records that could not be read and were written to a sink of their own. */
  readonly deadLetters: number;
  /** What sources left out, since what the job asks of rows holds for none of it. */
  readonly skipped: Skipped;
}

type Counter = keyof OperatorCounters;

/** An operator of the plan, with what its tasks have counted. */
interface PlacedSpec {
  readonly spec: OperatorSpec;
  readonly sum: (counter: Counter) => number;
  readonly noted: () => Pick<OperatorTotals, 'notedRows'>;
  /** Of each task, where that is measured. */
  readonly latency: () => readonly OperatorLatency[];
}

/** Of an operator, over its tasks. */
function latencyOf(all: readonly OperatorLatency[]) {
  const latency = summarizeLatency(all.map(({ rows }) => rows));
  const windowDelay = summarizeLatency(all.map(({ windows }) => windows));
  return { ...(latency && { latency }), ...(windowDelay && { windowDelay }) };
}

/** Of the operator at a place of the chain: sums over the tasks, in the order of reasons, without zeros. */
function notedOf(tasks: readonly TaskCounters[], place: number): Pick<OperatorTotals, 'notedRows'> {
  const sums = new Map<string, number>();
  for (const { notedRows = [] } of tasks) {
    for (const [reason, rows] of Object.entries(notedRows[place] ?? {})) {
      if (rows > 0) sums.set(reason, (sums.get(reason) ?? 0) + rows);
    }
  }
  if (sums.size === 0) return {};
  return { notedRows: Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

export class JobMetrics {
  readonly #graph: PhysicalGraph;
  /** By task, then by attempt. */
  readonly #byTask = new Map<string, Map<number, TaskCounters>>();
  /** Before there were tasks: what is in no split. */
  readonly #skippedAhead: Skipped[] = [];

  constructor(graph: PhysicalGraph) {
    this.#graph = graph;
  }

  /** Takes newer counters in; they replace older ones of the same attempt. */
  update(tasks: readonly TaskCounters[]): void {
    for (const counters of tasks) {
      const attempts = this.#byTask.get(counters.taskId) ?? new Map();
      this.#byTask.set(counters.taskId, attempts.set(counters.attempt, counters));
    }
  }

  /** Forgets all but these attempts of the tasks. */
  keep(taskIds: readonly string[], attempts: readonly number[]): void {
    for (const taskId of taskIds) {
      const found = this.#byTask.get(taskId);
      for (const attempt of found?.keys() ?? []) {
        if (!attempts.includes(attempt)) found?.delete(attempt);
      }
    }
  }

  /** Rows that the operators of these tasks have taken in and given out in an attempt. */
  rowCount(taskIds: readonly string[], attempt: number): number {
    const operators = taskIds.flatMap((id) => this.#byTask.get(id)?.get(attempt)?.operators ?? []);
    return operators.reduce((sum, { rowsIn, rowsOut }) => sum + rowsIn + rowsOut, 0);
  }

  addSkipped(skipped: Skipped): void {
    this.#skippedAhead.push(skipped);
  }

  /** By task. */
  tasks(): TaskCounters[] {
    return [...this.#byTask.values()].flatMap((attempts) => {
      const [first] = [...attempts.keys()].sort((a, b) => a - b);
      return attempts.get(first ?? 0) ?? [];
    });
  }

  /** Counters by physical operator, summed over tasks, in the order of the plan. */
  operators(): OperatorTotals[] {
    return this.#specs().map(({ spec: { id, name, kind }, sum, noted, latency }) => ({
      id,
      name,
      kind,
      rowsIn: sum('rowsIn'),
      rowsOut: sum('rowsOut'),
      busySeconds: sum('busyMs') / 1000,
      bytesSpilled: sum('bytesSpilled'),
      ...noted(),
      ...latencyOf(latency()),
    }));
  }

  /** From source to sinks, dead letters apart; null where it is not measured. */
  latency(): LatencySummary | null {
    const letters = this.#deadLetterSinks();
    const sinks = this.#specs().filter(({ spec }) => spec.kind === 'sink' && !letters.has(spec.id));
    return summarizeLatency(sinks.flatMap(({ latency }) => latency().map(({ rows }) => rows)));
  }

  /** What functions have counted, by name, in the order of names. */
  counts(): Readonly<Record<string, number>> {
    const sums = new Map<string, number>();
    for (const { counts = {} } of this.tasks()) {
      for (const [name, count] of Object.entries(counts)) {
        sums.set(name, (sums.get(name) ?? 0) + count);
      }
    }
    return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Rows and bytes that sources read, rows that sinks wrote. */
  totals(): JobTotals {
    const specs = this.#specs();
    const letters = this.#deadLetterSinks();
    const total = (kind: OperatorSpec['kind'], counter: Counter, areLetters = false) =>
      specs
        .filter(({ spec }) => spec.kind === kind && letters.has(spec.id) === areLetters)
        .filter(({ spec }) => spec.kind !== 'source' || spec.isSample !== true)
        .reduce((sum, one) => sum + one.sum(counter), 0);
    return {
      rowsIn: total('source', 'rowsOut'),
      bytesIn: this.tasks().reduce((sum, { bytesIn }) => sum + bytesIn, 0),
      rowsOut: total('sink', 'rowsIn'),
      deadLetters: total('sink', 'rowsIn', true),
      skipped: this.#skipped(),
    };
  }

  #skipped(): Skipped {
    const read = this.tasks().flatMap(({ skipped }) => skipped);
    return sumOfSkipped([...this.#skippedAhead, ...read]);
  }

  /** Ids of the sinks that write what sources could not read. */
  #deadLetterSinks(): ReadonlySet<string> {
    const { vertices, edges } = this.#graph;
    const letters = edges.filter(({ output }) => output === vertexOutputs.deadLetters);
    const readers = vertices.filter(({ id }) => letters.some(({ to }) => to === id));
    return new Set(readers.flatMap(({ chain }) => chain.at(-1)?.id ?? []));
  }

  #specs(): PlacedSpec[] {
    const all = this.tasks();
    return this.#graph.vertices.flatMap((vertex) =>
      vertex.chain.map((spec, index) => ({
        spec,
        sum: (counter: Counter) =>
          all
            .filter(({ taskId }) => vertexIdOf(taskId) === vertex.id)
            .reduce((total, { operators }) => total + (operators[index]?.[counter] ?? 0), 0),
        noted: () =>
          notedOf(
            all.filter(({ taskId }) => vertexIdOf(taskId) === vertex.id),
            index,
          ),
        latency: () =>
          all
            .filter(({ taskId }) => vertexIdOf(taskId) === vertex.id)
            .flatMap((task) => task.latency?.[index] ?? []),
      })),
    );
  }
}
