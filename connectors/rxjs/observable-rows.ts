/**
 * Rows of an observable as an async iterable, which a job reads as fast as it can. An observable can't be
 * told to wait: what comes faster is buffered, up to a bound in bytes; what happens then is the user's
 * choice, and no row is lost without being counted.
 *
 *     observable ──next──▶ buffer ──all that is there──▶ job      complete, error: behind what is buffered
 *
 * It is subscribed to when the job begins to read, and unsubscribed from when the job has ended.
 */
import type { Observable, Subscription } from 'rxjs';
import { typedError } from '../../base/typed-error.ts';

export interface ObservableRowsOptions {
  readonly bufferBytes: number;
  readonly overflow: 'fail' | 'drop';
  /** Told how many rows were dropped so far, after each. */
  readonly onDropped: (total: number) => void;
}

/** What an object and a property take besides their values: about what V8 takes. */
const rowBytes = 32;
const valueBytes = 16;

export class ObservableRows<T extends object> implements AsyncIterable<readonly T[]> {
  readonly #source: Observable<T>;
  readonly #options: ObservableRowsOptions;

  constructor(source: Observable<T>, options: ObservableRowsOptions) {
    this.#source = source;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly T[]> {
    return new RowBuffer(this.#source, this.#options);
  }
}

class RowBuffer<T extends object> implements AsyncIterator<readonly T[]> {
  readonly #options: ObservableRowsOptions;
  readonly #subscription: Subscription;
  #rows: T[] = [];
  #bytes = 0;
  #droppedCount = 0;
  #hasEnded = false;
  #error: { readonly thrown: unknown } | null = null;
  #wake: () => void = () => undefined;

  constructor(source: Observable<T>, options: ObservableRowsOptions) {
    this.#options = options;
    this.#subscription = source.subscribe({
      next: (row) => this.#add(row),
      error: (thrown: unknown) => this.#end({ thrown }),
      complete: () => this.#end(null),
    });
    // A source that gives all at once has ended before there was a subscription to end.
    if (this.#hasEnded) this.#subscription.unsubscribe();
  }

  async next(): Promise<IteratorResult<readonly T[]>> {
    while (this.#rows.length === 0 && !this.#hasEnded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#rows.length > 0) {
      const value = this.#rows;
      this.#rows = [];
      this.#bytes = 0;
      return { done: false, value };
    }
    if (this.#error !== null) throw this.#error.thrown;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<readonly T[]>> {
    this.#end(null);
    this.#rows = [];
    return { done: true, value: undefined };
  }

  #add(row: T): void {
    if (this.#hasEnded) return;
    const bytes = bytesOf(row);
    const { bufferBytes, overflow, onDropped } = this.#options;
    if (this.#rows.length > 0 && this.#bytes + bytes > bufferBytes) {
      if (overflow === 'fail') this.#end({ thrown: overflowError(bufferBytes) });
      else onDropped(++this.#droppedCount);
      return;
    }
    this.#rows.push(row);
    this.#bytes += bytes;
    this.#wake();
  }

  #end(error: { readonly thrown: unknown } | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    this.#wake();
    this.#subscription?.unsubscribe();
  }
}

/** What a row takes in memory, roughly: the bound is to keep a process alive, not to count bytes. */
function bytesOf(row: object): number {
  let bytes = rowBytes;
  for (const value of Object.values(row)) {
    bytes += valueBytes;
    if (typeof value === 'string') bytes += value.length * 2;
    else if (value instanceof Uint8Array) bytes += value.length;
    else if (typeof value === 'object' && value !== null) bytes += bytesOf(value);
  }
  return bytes;
}

function overflowError(bufferBytes: number): Error {
  return typedError(
    'OBSERVABLE_OVERFLOW',
    `an observable gave more than ${bufferBytes} bytes of rows before the job could read them`,
    {
      hint:
        'Give it a larger bufferBytes, slow it down with an operator of RxJS, or let rows be dropped ' +
        'and counted: overflow: "drop".',
    },
  );
}
