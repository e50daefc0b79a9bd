/**
 * Judges that of a job attempt only those regions are started again in which a task has failed, and counts the rows that
 * others have worked on meanwhile.
 *
 *     v1[0] ✗ ─▶ v1[0] v2[0] again, their region        v3[0] v4[0] as they were: never made anew, and not stopped
 *
 * After: coordinator/job/region-restart.ts
 */
import { regionsOf } from '../../coordinator/scheduler/regions.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { readTaskMetrics } from '../../engine/task/task-metrics.ts';
import type { TaskOptions } from '../../engine/task/task-parts.ts';

interface Begun {
  readonly attempt: number;
  readonly metrics: ArrayBufferLike;
}

export class RegionWatch {
  /** Rows that tasks have worked on from a failure in another region until that ran again. */
  rowsBeside = 0;
  /** Tasks that were started again alone. */
  readonly again = new Set<string>();
  readonly #regionOf: ReadonlyMap<string, string>;
  /** By task: its newest attempt. */
  readonly #begun = new Map<string, Begun>();
  /** By region: the attempt that has failed last, and the rows of others then. */
  readonly #failed = new Map<string, { readonly attempt: number; readonly rowsBeside: number }>();

  constructor(graph: PhysicalGraph) {
    const regions = regionsOf(graph, () => false);
    this.#regionOf = new Map(
      regions.flatMap(({ id, taskIds }) => taskIds.map((taskId) => [taskId, id] as const)),
    );
  }

  /** A task has failed, as the coordinator was told. */
  failed(taskId: string, attempt: number): void {
    const region = this.#regionOf.get(taskId) ?? '';
    if (attempt <= (this.#failed.get(region)?.attempt ?? 0)) return;
    this.#failed.set(region, { attempt, rowsBeside: this.#rowsBeside(region) });
  }

  /** A task is made; what is wrong with that. */
  begins({ id, attempt, metrics }: Pick<TaskOptions, 'id' | 'attempt' | 'metrics'>): string | null {
    const region = this.#regionOf.get(id) ?? '';
    this.#begun.set(id, { attempt, metrics });
    if (attempt === 1) return null;
    this.again.add(id);
    const failed = this.#failed.get(region);
    if (failed?.attempt !== attempt - 1) return `${id} is started again, and has not failed`;
    this.rowsBeside = Math.max(this.rowsBeside, this.#rowsBeside(region) - failed.rowsBeside);
    return null;
  }

  #rowsBeside(region: string): number {
    const others = [...this.#begun].filter(([taskId]) => this.#regionOf.get(taskId) !== region);
    return others.reduce((sum, [, { metrics }]) => {
      return sum + (readTaskMetrics(metrics).operators[0]?.rowsIn ?? 0);
    }, 0);
  }
}
