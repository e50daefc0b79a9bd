/**
 * The rows that a join of streams holds of a key that somebody asks for, newest first within a segment, up to a
 * number. The operator goes on as if nobody had asked.
 */
import type { Batch } from '../../batch/batch.ts';
import { readRows } from '../../batch/row-reader.ts';
import type { Json } from '../../contracts/json.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { type Field, fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { JoinKeys } from '../join-keys.ts';
import { askedKey } from '../key-state/asked-key.ts';
import { shownValue } from '../key-state/shown-value.ts';
import type { OperatorContext } from '../operator.ts';
import type { JoinSegment } from './join-segment.ts';

export interface HeldSide {
  readonly schema: Schema;
  readonly keys: readonly string[];
  readonly segments: readonly JoinSegment[];
}

/** Of one side; there may be more. */
const rowsShownMax = 100;

/** `{ rowCount, rows }` of one side, with the columns that the join gives out. @throws STATE_KEY_INVALID */
export function heldRows(
  context: OperatorContext,
  { schema, keys, segments }: HeldSide,
  key: string,
): { readonly rowCount: number; readonly rows: Json[] } {
  const fields = keys.map((name) => schema.fields[fieldIndexOf(schema, name)] as Field);
  const reader = new JoinKeys(context.scope, context.kernels, { schema: { fields }, keys });
  let batch: Batch | null = null;
  try {
    batch = askedKey(context, fields, key);
    const rows: Json[] = [];
    let rowCount = 0;
    for (const segment of segments) {
      const numbers = numbersOf(context, segment, reader.read(batch));
      rowCount += numbers.length;
      const shown = numbers.slice(0, rowsShownMax - rows.length);
      if (shown.length > 0) rows.push(...shownRows(context, segment, schema, shown));
    }
    return { rowCount, rows };
  } finally {
    batch?.release();
    reader.close();
  }
}

/** The numbers of the rows with a key. */
function numbersOf(
  { scope }: OperatorContext,
  { table }: JoinSegment,
  key: { readonly values: number; readonly validity: number; readonly selection: number },
): number[] {
  const { uint32, bytes } = scope.memory;
  const numbers: number[] = [];
  if (key.validity !== 0 && ((bytes[key.validity] ?? 0) & 1) === 0) return numbers;
  const block = scope.allocate(4);
  table.find(key, 1, addressOf(block));
  // Chains have the number after that of a row, and 0 at their end.
  let next = uint32[addressOf(block) >>> 2] ?? 0;
  scope.memory.release(block);
  for (; next !== 0; next = uint32[(table.next >>> 2) + next - 1] ?? 0) numbers.push(next - 1);
  return numbers;
}

function shownRows(
  { scope }: OperatorContext,
  { output }: JoinSegment,
  schema: Schema,
  numbers: readonly number[],
): Json[] {
  const block = scope.allocate(numbers.length * 4);
  scope.memory.uint32.set(numbers, addressOf(block) >>> 2);
  try {
    const batch = output.make({ count: numbers.length, probe: null, numbers: addressOf(block) });
    try {
      const own = batch.schema.fields.filter(({ name }) => fieldIndexOf(schema, name) >= 0);
      return readRows(batch).map((row) =>
        Object.fromEntries(own.map(({ name }) => [name, shownValue(row[name])])),
      );
    } finally {
      batch.release();
    }
  } finally {
    scope.memory.release(block);
  }
}
