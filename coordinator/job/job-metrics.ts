/** The counters of a running job, kept by task and operator and added up for people. */

import type { OperatorSpec, PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { OperatorMetrics } from '../protocol.ts';

export interface OperatorTotals {
  /** The logical operator's id; several physical ones may carry out one. */
  readonly id: string;
  readonly name: string;
  readonly kind: OperatorSpec['kind'];
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** Busy time, summed over all tasks. */
  readonly busySeconds: number;
}

export interface JobTotals {
  readonly rowsIn: number;
  readonly bytesIn: number;
  readonly rowsOut: number;
}

export class JobMetrics {
  readonly #chain: readonly OperatorSpec[];
  readonly #latest = new Map<string, OperatorMetrics>();

  constructor(graph: PhysicalGraph) {
    this.#chain = graph.vertices.flatMap((vertex) => vertex.chain);
  }

  /** Takes newer counters in; they replace older ones of the same task and operator. */
  update(operators: readonly OperatorMetrics[]): void {
    for (const metrics of operators) {
      this.#latest.set(`${metrics.taskId} ${metrics.operatorId}`, metrics);
    }
  }

  /** Counters by operator, summed over tasks, in the order of the plan. */
  operators(): OperatorTotals[] {
    return this.#chain.map(({ id, name, kind }) => {
      const all = this.#of(id);
      return {
        id,
        name,
        kind,
        rowsIn: sum(all, 'rowsIn'),
        rowsOut: sum(all, 'rowsOut'),
        busySeconds: sum(all, 'busyMs') / 1000,
      };
    });
  }

  /** Rows and bytes that sources read, rows that sinks wrote. */
  totals(): JobTotals {
    const of = (kind: OperatorSpec['kind']) =>
      this.#chain.filter((spec) => spec.kind === kind).flatMap((spec) => this.#of(spec.id));
    const sources = of('source');
    return {
      rowsIn: sum(sources, 'rowsOut'),
      bytesIn: sum(sources, 'bytesIn'),
      rowsOut: sum(of('sink'), 'rowsIn'),
    };
  }

  #of(operatorId: string): OperatorMetrics[] {
    return [...this.#latest.values()].filter((metrics) => metrics.operatorId === operatorId);
  }
}

function sum(all: readonly OperatorMetrics[], field: 'rowsIn' | 'rowsOut' | 'bytesIn' | 'busyMs') {
  return all.reduce((total, metrics) => total + metrics[field], 0);
}
