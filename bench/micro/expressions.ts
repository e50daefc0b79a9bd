/**
 * Micro benchmark of compiled expressions: `node bench/micro/expressions.ts`. No test: it prints.
 *
 * Expectation, one thread, batches of 8,192 rows in the second cache: a comparison of a column with a
 * literal is a load, a compare and a store of the row's number, some 1 ns a row; two of them and a
 * product of two columns 2 ns. A validity bit costs another 0.5 ns a column. The reference takes some
 * 30 ns a node.
 */
import { Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import { rowFilter } from '../../engine/compile/row-filter.ts';
import { rowProjector } from '../../engine/compile/row-projector.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  columnExpr,
  compareExpr,
  logicExpr,
} from '../../engine/expr/expr-factory.ts';
import { literalBeside } from '../../engine/expr/literal.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../engine/memory/slot-memory.ts';
import { float64Type, int32Type, int64Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';

const runs = 5;
const batchCount = 16;
const rounds = 200;

const memory = new SlotMemory({ budgetBytes: 256 * 1024 * 1024 });
const scope = memory.scope('bench');
const context = { scope, kernels: instantiateKernels(memory.memory) };

const schema = schemaOf(
  fieldOf('day', int32Type, true),
  fieldOf('price', float64Type, true),
  fieldOf('quantity', int32Type, true),
  fieldOf('id', int64Type, true),
);
const [day, price, quantity, id] = schema.fields.map(columnExpr) as [Expr, Expr, Expr, Expr];
const beside = (value: number, { type }: Expr) => literalBeside(value, type);

function makeBatch(seed: number, hasNulls: boolean): Batch {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
  const blocks: number[] = [];
  const room = (sizeBytes: number) => {
    const block = scope.allocate(sizeBytes);
    blocks.push(block);
    return addressOf(block);
  };
  const columns = schema.fields.map(({ type }) => {
    const values = room(batchRowsMax * 8);
    for (let row = 0; row < batchRowsMax; row++) {
      if (type.kind === 'float64') memory.float64[values / 8 + row] = random(100_000) / 100;
      else if (type.kind === 'int32') memory.int32[(values >>> 2) + row] = random(10_000);
      else memory.uint32.set([random(1e9), 0], (values >>> 2) + row * 2);
    }
    const validity = hasNulls ? room(1024) : 0;
    if (hasNulls)
      for (let at = 0; at < 1024; at++) memory.bytes[validity + at] = random(256) | random(256);
    return { type, values, validity };
  });
  return new Batch(memory, { schema, rowCount: batchRowsMax, columns, blocks });
}

function measure(name: string, batches: readonly Batch[], run: (batch: Batch) => void): void {
  const rows = rounds * batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < runs; turn++) {
    const start = process.threadCpuUsage().user;
    for (let round = 0; round < rounds; round++) for (const batch of batches) run(batch);
    best = Math.min(best, ((process.threadCpuUsage().user - start) * 1000) / rows);
  }
  process.stdout.write(`${name.padEnd(48)} ${best.toFixed(2).padStart(8)} ns per row\n`);
}

function release(blocks: readonly number[]): void {
  for (const block of blocks) if (block !== 0) memory.release(block);
}

for (const hasNulls of [false, true]) {
  process.stdout.write(hasNulls ? 'a quarter of the values null\n' : 'no nulls\n');
  const batches = Array.from({ length: batchCount }, (_, index) => makeBatch(index + 1, hasNulls));
  const conditions: Record<string, Expr> = {
    'filter day < 5000': compareExpr('lt', day, beside(5000, day)),
    'filter day < 5000 and price > 500': logicExpr(
      'and',
      compareExpr('lt', day, beside(5000, day)),
      compareExpr('gt', price, beside(500, price)),
    ),
  };
  for (const [name, condition] of Object.entries(conditions)) {
    const filter = rowFilter(context, condition);
    measure(name, batches, (batch) => release([filter.select(batch).selection]));
    filter.close();
  }
  const half = rowFilter(context, compareExpr('lt', day, beside(6000, day)));
  const selected = batches.map((batch) => {
    const { selection, rowCount } = half.select(batch);
    return batch.derive({ selection: addressOf(selection), rowCount, blocks: [selection] });
  });
  const projections: Record<string, Expr[]> = {
    'project price * quantity': [arithmeticExpr('multiply', price, quantity)],
    'project quantity + day (checked int32)': [arithmeticExpr('add', quantity, day)],
    'project id + id (checked int64)': [arithmeticExpr('add', id, id)],
    'project id * quantity (checked int64)': [arithmeticExpr('multiply', id, quantity)],
    'project price > 500 (bits)': [compareExpr('gt', price, beside(500, price))],
    'project price * quantity, price * quantity * 2, day + 1': [
      arithmeticExpr('multiply', price, quantity),
      arithmeticExpr('multiply', arithmeticExpr('multiply', price, quantity), beside(2, price)),
      arithmeticExpr('add', day, beside(1, day)),
    ],
  };
  for (const [name, exprs] of Object.entries(projections)) {
    const projector = rowProjector(context, exprs);
    measure(name, batches, (batch) => release(projector.project(batch).blocks));
    measure(`  of selected rows (60 %)`, selected, (batch) =>
      release(projector.project(batch).blocks),
    );
    projector.close();
  }
  half.close();
  for (const batch of [...batches, ...selected]) batch.release();
}
memory.assertEmpty();
