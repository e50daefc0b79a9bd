/**
 * `millrace/rxjs`: observables of a program as sources of its jobs, and jobs as observables.
 *
 * Before: the user's program. After: cli/program-run.ts, connectors/rxjs/observable-rows.ts.
 */
import { Observable } from 'rxjs';
import { typedError } from '../base/typed-error.ts';
import { memory } from '../connectors/memory.ts';
import { ObservableRows } from '../connectors/rxjs/observable-rows.ts';
import type { JobDefinition } from '../engine/api/define-job.ts';
import type { SourceOf } from '../engine/api/endpoints.ts';
import type { RowInputOf } from '../engine/api/row.ts';
import type { ColumnsOf, StructType } from '../engine/api/value-type.ts';
import { type ResultRow, type RunSettings, run } from './program-run.ts';

/** What `fromObservable` keeps of rows that the job is not ready for. */
export interface FromObservableOptions {
  /** Bytes of rows that may wait for the job, about. @defaultValue 16 MiB */
  readonly bufferBytes?: number;
  /**
   * What happens to a row that finds the buffer full: `fail` ends the job with OBSERVABLE_OVERFLOW, `drop`
   * leaves it out and counts it. @defaultValue 'fail'
   */
  readonly overflow?: 'fail' | 'drop';
  /** Told how many rows were dropped so far, after each. */
  readonly onDropped?: (total: number) => void;
}

const bufferBytesDefault = 16 << 20;

/**
 * An observable as a source: subscribed to when the job begins to read, unsubscribed from when it has
 * ended. The job's input ends when the observable completes; its error fails the job.
 *
 * @param struct - The fields of its rows.
 * @throws MEMORY_ARGUMENT_INVALID
 */
export function fromObservable<F>(
  observable: Observable<RowInputOf<ColumnsOf<F>>>,
  struct: StructType<F>,
  options: FromObservableOptions = {},
): SourceOf<ColumnsOf<F>> {
  const { bufferBytes = bufferBytesDefault, overflow = 'fail', onDropped = ignore } = options;
  if (typeof observable?.subscribe !== 'function') {
    throw typedError('MEMORY_ARGUMENT_INVALID', 'fromObservable needs an observable', {
      hint: 'Give an Observable of RxJS: fromObservable(ticks$, t.struct({ price: t.float64() })).',
    });
  }
  if (!(bufferBytes > 0) || (overflow !== 'fail' && overflow !== 'drop')) {
    throw typedError('MEMORY_ARGUMENT_INVALID', 'fromObservable has no such buffer', {
      hint: 'Give bufferBytes above 0, and overflow: "fail" or "drop".',
    });
  }
  const rows = new ObservableRows(observable, { bufferBytes, overflow, onDropped });
  return memory.source(rows, struct);
}

/** What `run` takes, but for what the observable itself does. */
export type ToObservableSettings = Omit<RunSettings, 'onRows' | 'signal'>;

/**
 * A job as an observable of the rows of its `memory.sink()`, in their order. Each subscription runs the
 * job; it errors as `run` throws, and unsubscribing cancels the job. Rows that came before an error stay.
 */
export function toObservable<R = ResultRow>(
  job: JobDefinition | URL | string,
  settings: ToObservableSettings = {},
): Observable<R> {
  return new Observable<R>((subscriber) => {
    const cancel = new AbortController();
    const onRows = (rows: ResultRow[]) => {
      for (const row of rows) {
        if (subscriber.closed) return;
        subscriber.next(row as R);
      }
    };
    run(job, { ...settings, onRows, signal: cancel.signal }).then(
      () => subscriber.complete(),
      // Who has unsubscribed is told nothing any more: RxJS sees to that.
      (error: unknown) => subscriber.error(error),
    );
    return () => cancel.abort();
  });
}

function ignore(): void {}
