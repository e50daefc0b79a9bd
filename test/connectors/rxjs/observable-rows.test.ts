/** Goal: rows of an observable are read in order, the buffer is bounded, and nothing is lost unnoticed. */
import {
  asyncScheduler,
  concat,
  from,
  NEVER,
  Observable,
  of,
  Subject,
  scheduled,
  throwError,
} from 'rxjs';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { ObservableRows } from '../../../connectors/rxjs/observable-rows.ts';

interface Row {
  readonly n: number;
}

function rowsOf(
  source: Observable<Row>,
  options: { bufferBytes?: number; overflow?: 'fail' | 'drop' } = {},
) {
  const dropped: number[] = [];
  const { bufferBytes = 1 << 20, overflow = 'fail' } = options;
  const rows = new ObservableRows(source, {
    bufferBytes,
    overflow,
    onDropped: (total) => dropped.push(total),
  });
  return { rows, dropped };
}

async function readAll(rows: AsyncIterable<readonly Row[]>) {
  const items: number[][] = [];
  for await (const some of rows) items.push(some.map(({ n }) => n));
  return items;
}

const many = Array.from({ length: 100 }, (_, n) => ({ n }));
const numbers = many.map(({ n }) => n);

test('all at once, and one by one', async () => {
  expect(await readAll(rowsOf(from(many)).rows)).toEqual([numbers]);
  const later = await readAll(rowsOf(scheduled(many, asyncScheduler)).rows);
  expect(later.flat()).toEqual(numbers);
  expect(await readAll(rowsOf(of()).rows)).toEqual([]);
});

test('an error comes behind the rows before it', async () => {
  const broken = new Error('broken');
  const iterator = rowsOf(
    concat(
      of({ n: 1 }, { n: 2 }),
      throwError(() => broken),
    ),
  ).rows[Symbol.asyncIterator]();
  expect(await iterator.next()).toEqual({ done: false, value: [{ n: 1 }, { n: 2 }] });
  await expect(iterator.next()).rejects.toBe(broken);
});

test('a buffer that is full ends it, or drops and counts', async () => {
  const failing = rowsOf(from(many), { bufferBytes: 48 * 10 }).rows[Symbol.asyncIterator]();
  expect((await failing.next()).value).toHaveLength(10);
  const error = await failing.next().catch((one: unknown) => one);
  expect(codeOf(error)).toBe('OBSERVABLE_OVERFLOW');
  const { rows, dropped } = rowsOf(from(many), { bufferBytes: 48 * 10, overflow: 'drop' });
  expect(await readAll(rows)).toEqual([numbers.slice(0, 10)]);
  expect(dropped.at(-1)).toBe(90);
});

test('room is made by reading', async () => {
  const subject = new Subject<Row>();
  const { rows } = rowsOf(subject, { bufferBytes: 48 * 2 });
  const iterator = rows[Symbol.asyncIterator]();
  for (let n = 0; n < 10; n += 2) {
    const next = iterator.next();
    subject.next({ n });
    subject.next({ n: n + 1 });
    expect((await next).value).toEqual([{ n }, { n: n + 1 }]);
  }
});

test('a row larger than the buffer is taken when it is alone', async () => {
  const row = { n: 1, text: 'x'.repeat(1000), bytes: new Uint8Array(1000), list: [[1, 2]] };
  expect(await readAll(rowsOf(of(row), { bufferBytes: 10 }).rows)).toEqual([[1]]);
});

test('who stops reading unsubscribes', async () => {
  let isOpen = false;
  const source = new Observable<Row>((subscriber) => {
    isOpen = true;
    subscriber.next({ n: 1 });
    const rest = NEVER.subscribe(subscriber);
    return () => {
      isOpen = false;
      rest.unsubscribe();
    };
  });
  const iterator = rowsOf(source).rows[Symbol.asyncIterator]();
  await iterator.next();
  expect(isOpen).toBe(true);
  await iterator.return?.();
  expect(isOpen).toBe(false);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});
