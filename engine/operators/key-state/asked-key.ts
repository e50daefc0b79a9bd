/**
 * The key that somebody asks for, as a batch of one row: a text for one column, a JSON list for several.
 *
 *     4711            one column of numbers      '["DE", 42]'    two columns
 *     some text       one of texts               '[null]'        the key that is null
 *
 * A list is taken for a list where it has as many values as the key has columns, so a text that looks like one is
 * written in a list.
 */
import { typedError } from '../../../base/typed-error.ts';
import type { Batch } from '../../batch/batch.ts';
import { BatchBuilder } from '../../batch/batch-builder.ts';
import { valueFromText } from '../../expr/cast-text.ts';
import type { MemoryScope } from '../../memory/slot-memory.ts';
import type { Field } from '../../schema/schema.ts';

export interface AskedOperator {
  readonly name: string;
  readonly scope: MemoryScope;
}

/** @throws STATE_KEY_INVALID when the text is no key of these columns. The caller releases the batch. */
export function askedKey(operator: AskedOperator, fields: readonly Field[], text: string): Batch {
  const asked = { operator: operator.name, fields, text };
  const values = fields.length === 1 ? (listIn(text, 1) ?? [text]) : listIn(text, fields.length);
  if (values === null) {
    const names = fields.map(({ name }) => `"${name}"`).join(', ');
    throw invalidKey(asked, `is no JSON list of ${fields.length} values: ${names}`);
  }
  const row = fields.map((field, at) => columnValueOf(asked, field, values[at]));
  const builder = new BatchBuilder(operator.scope, { fields });
  try {
    builder.appendRow(row);
    return builder.build();
  } catch (error) {
    builder.discard();
    throw error;
  }
}

interface Asked {
  readonly operator: string;
  readonly fields: readonly Field[];
  readonly text: string;
}

/** The list that a text is, if it has that many values. */
function listIn(text: string, count: number): unknown[] | null {
  if (!text.trimStart().startsWith('[')) return null;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.length === count ? list : null;
  } catch {
    // A text that begins with a bracket is a text.
    return null;
  }
}

function columnValueOf(asked: Asked, field: Field, given: unknown): unknown {
  const { type, nullable, name } = field;
  if (given === null) {
    if (nullable) return null;
    throw invalidKey(asked, `has a null for "${name}", which is never null`);
  }
  const isPlain = ['string', 'number', 'boolean'].includes(typeof given);
  const isText = type.kind === 'utf8' || type.kind === 'binary';
  const parse = valueFromText(type);
  if (isPlain && (!isText || typeof given === 'string')) {
    if (type.kind === 'utf8') return given;
    const value = parse?.(String(given));
    // Days and decimals are given to columns as texts.
    if (value !== undefined) return hasTextForm(field) ? String(given) : value;
  }
  throw invalidKey(asked, `has ${JSON.stringify(given)} for "${name}", which is no ${type.kind}`);
}

function hasTextForm({ type }: Field): boolean {
  return type.kind === 'date' || type.kind === 'decimal';
}

function invalidKey({ operator, fields, text }: Asked, what: string): Error {
  const types = fields.map(({ name, type }) => `"${name}" (${type.kind})`).join(', ');
  const form =
    fields.length === 1 ? 'Give its value' : 'Give a JSON list with a value for each, quoted';
  return typedError('STATE_KEY_INVALID', `key ${text} of operator "${operator}" ${what}`, {
    hint: `The key of the operator is ${types}. ${form}.`,
    details: { operator, key: text },
  });
}
