/** Goal: observables feed jobs and jobs are observables, with operators of RxJS on both sides. */
import { agg, defineJob, t } from 'millrace';
import { nexmark } from 'millrace/generator';
import { memory } from 'millrace/memory';
import { run } from 'millrace/run';
import { fromObservable, toObservable } from 'millrace/rxjs';
import {
  concat,
  filter,
  interval,
  lastValueFrom,
  map,
  range,
  scan,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { expect, test } from 'vitest';

const Tick = t.struct({ key: t.int32(), value: t.float64() });
const ticks = (count: number) => range(0, count).pipe(map((n) => ({ key: n % 3, value: n })));

test('an observable through a job into an observable', async () => {
  const job = defineJob({
    name: 'ticks',
    build: ({ read }) =>
      read(fromObservable(ticks(10_000).pipe(filter(({ value }) => value % 2 === 0)), Tick))
        .keyBy((tick) => tick.key)
        .aggregate({ count: agg.count(), sum: agg.sum((tick) => tick.value) })
        .orderBy((row) => [row.key.asc()])
        .writeTo(memory.sink()),
  });
  const rows = await lastValueFrom(toObservable(job, { parallelism: 2 }).pipe(toArray()));
  expect(rows).toEqual([
    { key: 0, count: 1667n, sum: 8_331_666 },
    { key: 1, count: 1666n, sum: 8_328_334 },
    { key: 2, count: 1667n, sum: 8_335_000 },
  ]);
});

test('rows come in order, and can be worked on as they come', async () => {
  const job = defineJob({
    name: 'in-order',
    build: ({ read }) => read(fromObservable(ticks(50_000), Tick)).writeTo(memory.sink()),
  });
  const values = toObservable<{ key: number; value: number }>(job, { parallelism: 1 }).pipe(
    scan((previous, { value }) => (value === previous + 1 ? value : Number.NaN), -1),
  );
  expect(await lastValueFrom(values)).toBe(49_999);
});

test('errors travel both ways', async () => {
  const broken = new Error('the ticks broke');
  const failing = defineJob({
    name: 'failing',
    build: ({ read }) =>
      read(
        fromObservable(
          concat(
            ticks(5),
            throwError(() => broken),
          ),
          Tick,
        ),
      ).writeTo(memory.sink()),
  });
  await expect(run(failing)).rejects.toBe(broken);
  await expect(lastValueFrom(toObservable(failing))).rejects.toBe(broken);
});

test('unsubscribing cancels the job, and unsubscribes from its source', async () => {
  let isOpen = true;
  const endless = interval(1).pipe(map((n) => ({ key: n, value: n })));
  const watched = new (endless.constructor as typeof import('rxjs').Observable)<{
    key: number;
    value: number;
  }>((subscriber) => {
    const inner = endless.subscribe(subscriber);
    return () => {
      isOpen = false;
      inner.unsubscribe();
    };
  });
  const job = defineJob({
    name: 'endless',
    build: ({ read }) => read(fromObservable(watched, Tick)).writeTo(memory.sink()),
  });
  const some = await lastValueFrom(toObservable(job, { parallelism: 1 }).pipe(take(3), toArray()));
  expect(some).toHaveLength(3);
  for (let turn = 0; isOpen && turn < 2000; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  await expect.poll(() => isOpen, { timeout: 20_000 }).toBe(false);
});

test('each subscription runs the job', async () => {
  const job = defineJob({
    name: 'bids',
    build: ({ read }) => read(nexmark.bids({ events: 1000 })).writeTo(memory.sink()),
  });
  const bids = toObservable(job, { parallelism: 1 }).pipe(toArray());
  expect(await lastValueFrom(bids)).toEqual(await lastValueFrom(bids));
});
