/**
 * Windows on one thread: rows in order of time through the operators that group them, without a source and an
 * exchange.
 *
 *     tumbling   100,000 keys, 100 rows per ms, windows of 10 s: count, sum, least, largest value
 *     sliding    the same in windows of 10 s every 2 s
 *     sessions   bids of some thousand users, a gap of 10 s: count
 *
 * Expectation: a row costs a probe of its key's slot, some 10 ns where the slots are in the third cache, and
 * 2 ns per accumulator; so 30 to 60 million rows a second.
 * Run: `npm run bench:windows`, with the millions of rows behind `--`
 */
import { Batch } from '../../engine/batch/batch.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Operator, OperatorContext } from '../../engine/operators/operator.ts';
import { SessionAggregateOperator } from '../../engine/operators/windows/session-aggregate-operator.ts';
import { WindowAggregateOperator } from '../../engine/operators/windows/window-aggregate-operator.ts';
import { aggregatePartsOf } from '../../engine/plan/aggregate-parts.ts';
import { float64Type, int32Type, int64Type } from '../../engine/schema/field-type.ts';
import { fieldOf, type Schema } from '../../engine/schema/schema.ts';

const batchRows = 8192;
const rowCount = Number(process.argv[2] ?? 20) * 1_000_000;
const time = { kind: 'timestamp', unit: 'ms' } as const;
const input: Schema = {
  fields: [fieldOf('key', int32Type), fieldOf('at', time), fieldOf('value', float64Type)],
};
const aggregates = [
  { name: 'n', function: 'count', columns: [] },
  { name: 'sum', function: 'sum', columns: ['value'] },
  { name: 'least', function: 'min', columns: ['value'] },
  { name: 'most', function: 'max', columns: ['value'] },
] as const;
const results = [
  fieldOf('key', int32Type),
  fieldOf('n', int64Type),
  ...['sum', 'least', 'most'].map((name) => fieldOf(name, float64Type)),
];
const bounds = [fieldOf('windowStart', time), fieldOf('windowEnd', time)];
const keys = ['key'];
const place = { offsetMs: 0, timeZone: null };

interface Case {
  readonly name: string;
  readonly keyCount: number;
  readonly rowsPerMs: number;
  readonly build: (context: OperatorContext) => Operator;
}

const tumbling = { kind: 'tumbling', sizeMs: 10_000, ...place } as const;
const sliding = { kind: 'sliding', sizeMs: 10_000, slideMs: 2_000, ...place } as const;
const whole = {
  ...{ input, output: { fields: [...bounds, ...results] }, phase: 'whole' as const },
  ...{ column: 'at', keys, aggregates },
};
const parts = aggregatePartsOf({ keys, aggregates, output: { fields: results } }, input);
const partial = {
  ...{ ...whole, output: { fields: [fieldOf('pane', time), ...parts.schema.fields] } },
  phase: 'partial' as const,
};
const sessions = {
  ...whole,
  ...{ aggregates: aggregates.slice(0, 1), gapMs: 10_000 },
  output: { fields: [...bounds, ...results.slice(0, 2)] },
};
const large = { keyCount: 100_000, rowsPerMs: 100 };
const users = { keyCount: 20_000, rowsPerMs: 10 };
const cases: readonly Case[] = [
  {
    ...{ name: 'tumbling, whole', ...large },
    build: (context) => new WindowAggregateOperator(context, { ...whole, window: tumbling }),
  },
  {
    ...{ name: 'tumbling, partial', ...large },
    build: (context) => new WindowAggregateOperator(context, { ...partial, window: tumbling }),
  },
  {
    ...{ name: 'sliding, whole', ...large },
    build: (context) => new WindowAggregateOperator(context, { ...whole, window: sliding }),
  },
  {
    ...{ name: 'sessions, whole', ...users },
    build: (context) => new SessionAggregateOperator(context, sessions),
  },
];

for (const one of cases) {
  for (let run = 0; run < 3; run++) {
    const { seconds, rowsOut } = measure(one);
    const rate = (rowCount / seconds / 1e6).toFixed(1);
    console.log(`${one.name.padEnd(18)} ${rate.padStart(6)} M rows/s, ${rowsOut} rows out`);
  }
}

/** Seconds within the operator alone. */
function measure({ keyCount, rowsPerMs, build }: Case) {
  const memory = new SlotMemory({ budgetBytes: 1 << 30 });
  const kernels = instantiateKernels(memory.memory);
  const scope = memory.scope('windows');
  const share = { bytes: 1 << 29 };
  const context = { name: 'windows', scope, kernels, spill: { share }, shouldYield: () => false };
  const operator = build(context as unknown as OperatorContext);
  let rowsOut = 0;
  const outbox = {
    offer: (batch: Batch) => {
      rowsOut += batch.rowCount;
      batch.release();
      return true;
    },
  };
  let seconds = 0;
  const timed = (work: () => void) => {
    // CPU time of this thread: other processes on the machine disturb it least.
    const start = process.threadCpuUsage().user;
    work();
    seconds += (process.threadCpuUsage().user - start) / 1e6;
  };
  const source = rowsOf(memory, keyCount, rowsPerMs);
  for (let row = 0; row < rowCount; row += batchRows) {
    const batch = source(row);
    timed(() => operator.process(batch, 0, outbox));
    batch.release();
    // About as often as a source gives one: every 10 ms.
    if ((row / batchRows) % 32 === 31) {
      timed(() => operator.advance?.(Math.floor(row / rowsPerMs), outbox));
    }
  }
  timed(() => operator.finish(outbox));
  operator.close();
  return { seconds, rowsOut };
}

/** Rows from a number on, in order of time, with keys in no order. */
function rowsOf(memory: SlotMemory, keyCount: number, rowsPerMs: number) {
  const scope = memory.scope('rows');
  const values = scope.allocate(batchRows * 8);
  memory.float64.fill(1.5, addressOf(values) >>> 3, (addressOf(values) >>> 3) + batchRows);
  let state = 1;
  return (first: number): Batch => {
    const block = scope.allocate(batchRows * 12);
    const times = addressOf(block);
    const keysAt = times + batchRows * 8;
    for (let row = 0; row < batchRows; row++) {
      state = (state * 48_271) % 2_147_483_647;
      memory.int32[(keysAt >>> 2) + row] = state % keyCount;
      memory.uint32[(times >>> 2) + row * 2] = Math.floor((first + row) / rowsPerMs);
      memory.uint32[(times >>> 2) + row * 2 + 1] = 0;
    }
    const columns = [
      { type: int32Type, values: keysAt, validity: 0 },
      { type: time, values: times, validity: 0 },
      { type: float64Type, values: addressOf(values), validity: 0 },
    ];
    return new Batch(memory, { schema: input, rowCount: batchRows, columns, blocks: [block] });
  };
}
