/** Goal: rows to a program wait for room without being lost, and a sink that gives up says so. */
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { memoryConnector } from '../../../connectors/program/program-connectors.ts';
import { ProgramWriter } from '../../../connectors/program/program-writer.ts';
import { drainRows } from '../../../connectors/program/row-drain.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { makeBatch } from '../../support/batches.ts';
import { type RingScene, ringScene } from '../../support/program-ring.ts';
import { emptyAtEnd, slotContext } from '../../support/slot-context.ts';

const schema = schemaOf(fieldOf('n', int32Type));

function scene(): RingScene & { readonly context: SlotContext } {
  const memory = emptyAtEnd(8 << 20);
  const scene = ringScene(memory, schema, 64);
  const programRing = { ring: scene.ring, wakeProgram: () => scene.bell.ring() };
  return { ...scene, context: { ...slotContext(schema, { memory }), programRing } };
}

/** A doorbell wakes its waiter in a later turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const rowsOf = (first: number) => Array.from({ length: 50 }, (_, row) => [first + row]);

test('a writer with a message under way is not ready until it has gone', async () => {
  const { context, drain } = scene();
  const writer = new ProgramWriter({ name: 'rows' }, context);
  const taken: unknown[] = [];
  const drained = drainRows(drain, (batch) => {
    taken.push(...readRows(batch).map((row) => row.n));
  });
  let waits = 0;
  for (let first = 0; first < 500; first += 50) {
    while (!writer.isReady()) {
      waits++;
      await turn();
    }
    const batch = makeBatch(context.scope, { schema, rows: rowsOf(first), selected: null });
    writer.write(batch);
    batch.release();
  }
  while (!writer.flush()) await turn();
  expect(writer.finish()).toEqual({ rowCount: 500 });
  writer.close();
  expect(await drained).toBe('ended');
  expect(taken).toEqual(Array.from({ length: 500 }, (_, row) => row));
  expect(waits).toBeGreaterThan(0);
});

test('a writer that is closed early tells the program, and holds nothing', async () => {
  const { context, drain } = scene();
  const writer = new ProgramWriter({ name: 'rows' }, context);
  const batch = makeBatch(context.scope, { schema, rows: rowsOf(0), selected: [1, 3] });
  writer.write(batch);
  batch.release();
  writer.close();
  const taken: unknown[] = [];
  const outcome = await drainRows(drain, (one) => {
    taken.push(...readRows(one));
  });
  expect(outcome).toBe('failed');
  expect(taken).toEqual([{ n: 1 }, { n: 3 }]);
});

test('without a program there is an error that says how to run the job', () => {
  const context = slotContext(schema);
  const options = { name: 'late', fields: [] };
  const codeOfError = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return codeOf(error);
    }
    return null;
  };
  const split = { id: 'late', sizeBytes: 0, payload: null };
  expect(codeOfError(() => new ProgramWriter(options, context))).toBe('PROGRAM_NOT_ATTACHED');
  expect(codeOfError(() => memoryConnector.reader?.(options, context).open(split))).toBe(
    'PROGRAM_NOT_ATTACHED',
  );
});
