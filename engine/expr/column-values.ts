/** Values of a column in a slot's memory, one by one: what the reference computes with. */
import { assert, assertNever } from '../../base/assert.ts';
import type { Column } from '../batch/batch.ts';
import { nestedDecoderOf } from '../batch/nested-decode.ts';
import { utf8ViewSize, viewBytes, viewText } from '../batch/utf8-view.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { FieldType } from '../schema/field-type.ts';
import { exactTypeOf } from './nested-values.ts';
import type { Value } from './value.ts';

/** Reads the value of a stored row. */
export function valueReaderOf(memory: SlotMemory, column: Column): (row: number) => Value {
  const { validity } = column;
  const read = plainReaderOf(memory, column);
  if (validity === 0) return read;
  return (row) => (bitAt(memory, validity, row) ? read(row) : null);
}

/** Of a column without nulls. */
function plainReaderOf(memory: SlotMemory, { type, values }: Column): (row: number) => Value {
  const { bytes, int16, uint16, int32, uint32, float32, float64, bigInt64 } = memory;
  switch (type.kind) {
    case 'bool':
      return (row) => bitAt(memory, values, row);
    case 'int8':
      return (row) => ((bytes[values + row] ?? 0) << 24) >> 24;
    case 'uint8':
      return (row) => bytes[values + row] ?? 0;
    case 'int16':
      return (row) => int16[(values >>> 1) + row] ?? 0;
    case 'uint16':
      return (row) => uint16[(values >>> 1) + row] ?? 0;
    case 'int32':
    case 'date':
      return (row) => int32[(values >>> 2) + row] ?? 0;
    case 'uint32':
      return (row) => uint32[(values >>> 2) + row] ?? 0;
    case 'float32':
      return (row) => float32[(values >>> 2) + row] ?? 0;
    case 'float64':
      return (row) => float64[values / 8 + row] ?? 0;
    case 'int64':
    case 'timestamp':
      return (row) => bigInt64[values / 8 + row] ?? 0n;
    case 'decimal':
      return (row) => {
        const word = values / 8 + row * 2;
        return ((bigInt64[word + 1] ?? 0n) << 64n) | BigInt.asUintN(64, bigInt64[word] ?? 0n);
      };
    case 'utf8':
      return (row) => viewText(memory, values + row * utf8ViewSize);
    case 'binary':
      return (row) => viewBytes(memory, values + row * utf8ViewSize).slice();
    case 'list':
    case 'struct':
      return nestedReaderOf(memory, type, values);
    default:
      return assertNever(type);
  }
}

function nestedReaderOf(
  memory: SlotMemory,
  type: FieldType,
  values: number,
): (row: number) => Value {
  const decode = nestedDecoderOf(exactTypeOf(type), {
    memory,
    name: '',
    notSafe: (): never => {
      assert(false, 'exact types have no number that is checked');
    },
  });
  return (row) => decode(values + row * utf8ViewSize) as Value;
}

function bitAt(memory: SlotMemory, bitmap: number, index: number): boolean {
  return (((memory.bytes[bitmap + (index >>> 3)] ?? 0) >>> (index & 7)) & 1) === 1;
}
