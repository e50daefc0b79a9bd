/**
 * Lists and structs as JSON, the same inside NDJSON and as a field of CSV:
 *
 *     [1,null,3]     {"name":"Eva","since":"2026-11-26","fee":12.50,"at":"2026-11-26T01:02:03.000Z"}
 *
 * What is inside is written as the columns of NDJSON are: whole numbers and decimals with all their
 * digits, moments and days as ISO texts, bytes in base64. JSON has no NaN and no infinity.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Column } from '../../engine/batch/batch.ts';
import { type DecodeView, nestedDecoderOf } from '../../engine/batch/nested-decode.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { FieldType } from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { base64Of, float32Text, timestampTextOf } from './value-text.ts';

/** Writes the lists and structs of a schema's columns. */
export class NestedJson {
  readonly #schema: Schema;
  readonly #decoders = new Map<number, DecodeView>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** The JSON of a row of a column that is not null; `at` is the column's index. */
  textOf(memory: SlotMemory, column: Column, at: number, row: number): string {
    const { type, values } = column;
    const { name } = this.#schema.fields[at]!;
    let decode = this.#decoders.get(at);
    if (decode === undefined) {
      decode = nestedDecoderOf(asExact(type), { memory, name, notSafe });
      this.#decoders.set(at, decode);
    }
    return jsonOf(type, decode(values + row * utf8ViewSize), name);
  }
}

/** The type with all that has 64 bits read as bigint. */
function asExact(type: FieldType): FieldType {
  if (type.kind === 'int64' || type.kind === 'timestamp') return { kind: 'int64', js: 'bigint' };
  if (type.kind === 'list') {
    return { kind: 'list', item: { ...type.item, type: asExact(type.item.type) } };
  }
  if (type.kind !== 'struct') return type;
  return {
    kind: 'struct',
    fields: type.fields.map((part) => ({ ...part, type: asExact(part.type) })),
  };
}

function notSafe(): never {
  assert(false, 'no 64-bit value is read as a number');
}

function jsonOf(type: FieldType, value: unknown, name: string): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'list': {
      const items = (value as unknown[]).map((item) => jsonOf(type.item.type, item, `${name}[]`));
      return `[${items.join(',')}]`;
    }
    case 'struct': {
      const parts = type.fields.map((part) => {
        const json = jsonOf(part.type, (value as never)[part.name], `${name}.${part.name}`);
        return `${JSON.stringify(part.name)}:${json}`;
      });
      return `{${parts.join(',')}}`;
    }
    case 'utf8':
    case 'date':
      return JSON.stringify(value);
    case 'binary':
      return `"${base64Of(value as Uint8Array)}"`;
    case 'timestamp':
      return `"${timestampTextOf(value as bigint, type.unit)}"`;
    case 'float32':
    case 'float64':
      return floatOf(type.kind, value as number, name);
    default:
      return String(value);
  }
}

function floatOf(kind: 'float32' | 'float64', value: number, name: string): string {
  if (!Number.isFinite(value)) throw notJsonError(name, value);
  return kind === 'float32' ? float32Text(value) : String(value);
}

export function notJsonError(column: string, value: number): Error {
  return typedError(
    'VALUE_NOT_JSON',
    `column "${column}" has the value ${value}, which JSON lacks`,
    {
      hint: 'Remove such rows before the sink with a "where", or write CSV, which has a text for it.',
      details: { column, value: String(value) },
    },
  );
}
