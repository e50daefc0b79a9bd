/** Goal: the generator's source gives Nexmark's rows, whatever columns are asked for, and says what it can't do. */
import { expect, test } from 'vitest';
import { generatorConnector } from '../../../connectors/generator/generator-connector.ts';
import { type NexmarkSettings, nexmark } from '../../../connectors/generator.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { Connector, SourceSpec } from '../../../engine/contracts/connector.ts';
import { slotContext } from '../../support/slot-context.ts';

const connector = generatorConnector as Required<Pick<Connector, 'enumerator' | 'reader'>>;
const noDisk = { disk: null as never, attemptId: 'attempt' };

async function rowsOf({ options, schema }: SourceSpec, parallelism = 1) {
  const { splits } = await connector.enumerator(options, noDisk).discover(parallelism);
  const context = slotContext(schema);
  const reader = connector.reader(options, context);
  const rows: Record<string, unknown>[] = [];
  for (const split of splits) {
    reader.open(split);
    for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
      if (typeof batch === 'string') continue;
      rows.push(...readRows(batch));
      batch.release();
    }
  }
  reader.close();
  return rows;
}

/** The source with some of its columns, as the planner's push-down leaves it. */
function narrowed(source: SourceSpec, names: readonly string[]): SourceSpec {
  const fields = source.schema.fields.filter((field) => names.includes(field.name));
  return { ...source, schema: { fields } };
}

test('of 50 events one is a person, 3 are auctions, 46 are bids', async () => {
  const settings = { events: 1000 };
  expect(await rowsOf(nexmark.persons(settings))).toHaveLength(20);
  expect(await rowsOf(nexmark.auctions(settings))).toHaveLength(60);
  expect(await rowsOf(nexmark.bids(settings))).toHaveLength(920);
});

test('rows are those of a real auction house', async () => {
  const settings = { events: 5000, seed: 1 };
  const [bid] = await rowsOf(nexmark.bids(settings));
  expect(bid).toEqual({
    auction: expect.any(Number),
    bidder: expect.any(Number),
    price: expect.any(Number),
    channel: expect.stringMatching(/^(Google|Facebook|Baidu|Apple|channel-\d+)$/),
    url: expect.stringMatching(
      /^https:\/\/www\.nexmark\.com(\/[a-z_]{3,4}){3}\/item\.htm\?query=1(&channel_id=\d+)?$/,
    ),
    date_time: 1_700_000_000_000n,
    extra: expect.stringMatching(/^[a-z]{54,81}$/),
  });
  for (const person of await rowsOf(nexmark.persons(settings))) {
    expect(person.name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
    expect(person.email_address).toMatch(/^[a-z ]*@[a-z ]*\.com$/);
    expect(person.credit_card).toMatch(/^\d{4} \d{4} \d{4} \d{4}$/);
    expect(person.state).toMatch(/^(AZ|CA|ID|OR|WA|WY)$/);
    expect(person.extra).toMatch(/^[a-z]+$/);
  }
  for (const auction of await rowsOf(nexmark.auctions(settings))) {
    const { initial_bid: first, reserve, date_time: start, expires, category } = auction;
    expect(Number(reserve)).toBeGreaterThan(Number(first));
    expect(Number(expires)).toBeGreaterThan(Number(start));
    expect([10, 11, 12, 13, 14]).toContain(category);
  }
});

test('a seed makes other rows, and the same seed the same', async () => {
  const first = await rowsOf(nexmark.bids({ events: 500, seed: 1 }));
  expect(await rowsOf(nexmark.bids({ events: 500, seed: 1 }))).toEqual(first);
  expect(await rowsOf(nexmark.bids({ events: 500, seed: 2 }))).not.toEqual(first);
  const large = await rowsOf(nexmark.bids({ events: 500, seed: 2 ** 53 - 1 }));
  expect(large).not.toEqual(await rowsOf(nexmark.bids({ events: 500, seed: 2 ** 21 - 1 })));
});

test('a column has the same values whatever columns are made beside it', async () => {
  for (const source of [
    nexmark.bids({ events: 2000 }),
    nexmark.persons({ events: 20_000 }),
    nexmark.auctions({ events: 3000 }),
  ]) {
    const all = await rowsOf(source);
    for (const { name } of source.schema.fields) {
      const alone = await rowsOf(narrowed(source, [name]));
      expect(alone).toEqual(all.map((row) => ({ [name]: row[name] })));
    }
  }
});

test('no columns at all are rows that can be counted', async () => {
  expect(await rowsOf(narrowed(nexmark.bids({ events: 50_000 }), []))).toHaveLength(46_000);
});

test('time goes on with the rate', async () => {
  const rows = await rowsOf(nexmark.bids({ events: 100, eventsPerSecond: 10, baseTimeMs: 5000 }));
  expect(rows[0]?.date_time).toBe(5400n);
  expect(rows.at(-1)?.date_time).toBe(14_900n);
});

test('a group of events comes mixed up, and is whole', async () => {
  const settings: NexmarkSettings = { events: 1000, outOfOrderGroup: 100 };
  const times = (await rowsOf(nexmark.bids(settings))).map((row) => Number(row.date_time));
  const ordered = (await rowsOf(nexmark.bids({ events: 1000 }))).map((row) =>
    Number(row.date_time),
  );
  expect(times).not.toEqual(ordered);
  expect(times.toSorted((a, b) => a - b)).toEqual(ordered);
});

test.each`
  settings                                | message
  ${{ events: Number.NaN }}               | ${"events of a generator can't be NaN"}
  ${{ events: -1 }}                       | ${"events of a generator can't be -1"}
  ${{ events: 2 ** 46 }}                  | ${"events of a generator can't be 70368744177664"}
  ${{ events: 1, seed: 0.5 }}             | ${"seed of a generator can't be 0.5"}
  ${{ events: 1, eventsPerSecond: 0 }}    | ${"eventsPerSecond of a generator can't be 0"}
  ${{ events: 1, baseTimeMs: -1 }}        | ${"baseTimeMs of a generator can't be -1"}
  ${{ events: 1, outOfOrderGroup: 1906 }} | ${"outOfOrderGroup of a generator can't be 1906"}
`('$settings is refused', ({ settings, message }) => {
  expect(() => nexmark.bids(settings)).toThrow(message);
});

test('at a rate each task gives out its part by the clock, and all of them the same rows', async () => {
  const plain = nexmark.bids({ events: 2_000, eventsPerSecond: 1_000 });
  const paced = nexmark.bids({ events: 2_000 }).atRate?.(1_000);
  const { options = null, schema = plain.schema } = paced ?? {};
  const { splits } = await connector.enumerator(options, noDisk).discover(2);
  expect(splits).toHaveLength(2);
  expect(new Set(splits.map(({ sequence }) => sequence)).size).toBe(2);
  const rows: Record<string, unknown>[] = [];
  for (const split of splits) {
    let nowMs = 70_000;
    const reader = connector.reader(options, {
      ...slotContext(schema),
      clock: { mono: () => nowMs },
    });
    reader.open(split);
    const seen: number[] = [];
    for (let result = reader.read(); result !== 'end'; result = reader.read()) {
      if (result === 'waiting') {
        expect(reader.dueAtMs).toBeGreaterThan(nowMs);
        nowMs = reader.dueAtMs ?? Number.NaN;
      }
      if (typeof result === 'string') continue;
      seen.push(result.rowCount);
      rows.push(...readRows(result));
      result.release();
    }
    // Two seconds for 2,000 events, in chunks of 10 ms; never more at once than one event is due for.
    expect(nowMs - 70_000).toBeGreaterThan(1_900);
    expect(Math.max(...seen)).toBe(1);
    reader.close();
  }
  const byText = (all: Record<string, unknown>[]) =>
    all.map((row) => Object.values(row).join()).sort();
  expect(byText(rows)).toEqual(byText(await rowsOf(plain)));
});

test('a rate is a number above 0', () => {
  expect(() => nexmark.bids({ events: 1, rate: 0 })).toThrow("rate of a generator can't be 0");
  expect(nexmark.bids({ events: 1, rate: 5 }).options).toMatchObject({
    rate: 5,
    eventsPerSecond: 5,
  });
});
