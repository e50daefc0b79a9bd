/** Goal: what is known of files before they are read is right where it is counted, and near where it is guessed. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { filesConnector } from '../../../connectors/filesystem/files-connector.ts';
import { sourceStatisticsOf } from '../../../coordinator/source-statistics.ts';
import { BatchBuilder } from '../../../engine/batch/batch-builder.ts';
import type { Json } from '../../../engine/contracts/json.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import type { LogicalGraph } from '../../../engine/plan/logical-graph.ts';
import { float64Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { writeArrow } from '../../support/arrow-files.ts';
import { writeParquet } from '../../support/parquet-files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const schema = schemaOf(
  fieldOf('id', int64Type),
  fieldOf('price', { kind: 'decimal', precision: 9, scale: 2 }, true),
  fieldOf('day', { kind: 'date' }),
  fieldOf('x', float64Type),
  fieldOf('name', utf8Type),
);

/** Row `index` of a file: id and day grow, every fourth price is null. */
function rowAt(index: number): unknown[] {
  const price = index % 4 === 0 ? null : `${index}.50`;
  return [BigInt(index), price, '2026-11-26', index / 2 - 5, `name ${index}`];
}

function batchOf(from: number, count: number) {
  const builder = new BatchBuilder(memory.scope('test'), schema);
  for (let index = from; index < from + count; index++) builder.appendRow(rowAt(index));
  return builder.build();
}

function writeFile(file: string, from: number, count: number): void {
  const batch = batchOf(from, count);
  writeParquet({ path: file, kernels, settings: { rowGroupRows: 1000 } }, schema, [batch]);
  batch.release();
  memory.assertEmpty();
}

function statisticsOf(where: string, kind: string, declared: Schema = schema) {
  const fields = declared.fields as unknown as Json;
  const options = { path: where, format: { kind, fields }, extensions: null };
  const context = { disk: createRealDisk(), attemptId: 'attempt' };
  return filesConnector.enumerator?.(options, context).statistics?.();
}

test('a Parquet file: counts, and bounds of what is a number', async () => {
  const file = path.join(tempFolder(), 'rows.parquet');
  writeFile(file, 0, 5000);
  const found = await statisticsOf(file, 'parquet');
  expect(found?.rowCount).toBe(5000);
  const columns = found?.columns ?? {};
  expect(columns.id).toMatchObject({ min: 0, max: 4999, nullCount: 0, distinctCount: null });
  expect(columns.price).toMatchObject({ min: 1.5, max: 4999.5, nullCount: 1250 });
  expect(columns.day).toMatchObject({ min: 20_783, max: 20_783 });
  expect(columns.x).toMatchObject({ min: -5, max: 2494.5 });
  expect(columns.name).toMatchObject({ min: null, max: null });
  expect(columns.id?.sizeBytes).toBeGreaterThan(5000);
});

test('many Parquet files: as if all were like the few that are looked at', async () => {
  const folder = tempFolder();
  for (let index = 0; index < 40; index++) {
    writeFile(path.join(folder, `${index}.parquet`), index * 100, 100);
  }
  const found = await statisticsOf(folder, 'parquet');
  expect(found?.rowCount).toBeGreaterThan(3900);
  expect(found?.rowCount).toBeLessThan(4100);
  expect(found?.columns.id?.min).toBe(0);
  expect(found?.columns.price?.nullCount).toBeGreaterThan(950);
});

test.each(['file', 'stream'] as const)('rows of an Arrow %s', async (container) => {
  const file = path.join(tempFolder(), 'rows.arrow');
  const batches = Array.from({ length: 50 }, (_, index) => batchOf(index * 1000, 1000));
  writeArrow({ path: file, container, kernels }, schema, batches);
  for (const batch of batches) batch.release();
  const rowCount = (await statisticsOf(file, 'arrow'))?.rowCount ?? 0;
  // Of a file some record batches are asked, whose rows are a little longer or shorter than all.
  expect(Math.abs(rowCount - 50_000)).toBeLessThanOrEqual(container === 'file' ? 500 : 0);
});

test('of text only the size is known', async () => {
  const folder = tempFolder({ 'a.ndjson': '{"a":1}\n', 'b.ndjson': '{"a":2}\n{"a":3}\n' });
  expect(await statisticsOf(folder, 'ndjson')).toEqual({
    rowCount: null,
    sizeBytes: 24,
    columns: {},
  });
});

test('a source that is not there has no statistics, and does not end the job here', async () => {
  const options = { path: 'nowhere', format: { kind: 'parquet', fields: [] }, extensions: null };
  const source = { connector: 'files', options, schema };
  const place = { name: 'source', inputs: [], schema, kind: 'source' as const };
  const graph: LogicalGraph = {
    jobName: 'test',
    nodes: [
      { ...place, id: 'missing', source },
      { ...place, id: 'other', source: { ...source, connector: 'none' } },
    ],
  };
  const failures: string[] = [];
  const found = await sourceStatisticsOf(graph, {
    connectors: new Map([['files', filesConnector]]),
    context: { disk: createRealDisk(), attemptId: 'attempt' },
    onFailure: (id, reason) => failures.push(`${id}: ${reason}`),
  });
  expect(found.size).toBe(0);
  expect(failures).toEqual([expect.stringContaining('missing: ')]);
});
