/**
 * Tables of apache-arrow as input: checked against the struct that the job declares, and cut down to its
 * columns in its order. A module of its own, for it loads apache-arrow (90 ms).
 */
import type * as arrow from 'apache-arrow';
import { typedError } from '../../base/typed-error.ts';
import { fromArrowSchema } from '../../engine/batch/arrow-schema.ts';
import { isSameType, typeText } from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';

interface Wanted {
  readonly name: string;
  readonly schema: Schema;
}

/** @throws SCHEMA_MISMATCH, ARROW_TYPE_UNSUPPORTED */
export function matchingTable(table: arrow.Table, { name, schema }: Wanted): arrow.Table {
  const names = schema.fields.map((field) => field.name);
  const given = table.schema.fields.map((field) => field.name);
  const missing = names.find((one) => !given.includes(one));
  if (missing !== undefined) {
    throw mismatch(name, `has no column "${missing}"`);
  }
  const selected = table.select(names);
  const { fields } = fromArrowSchema(selected.schema);
  schema.fields.forEach((field, index) => {
    const found = fields[index];
    if (found !== undefined && isSameType(found.type, field.type)) return;
    const type = found === undefined ? 'missing' : typeText(found.type);
    throw mismatch(name, `has column "${field.name}" as ${type}, not ${typeText(field.type)}`);
  });
  return selected;
}

function mismatch(name: string, what: string): Error {
  return typedError('SCHEMA_MISMATCH', `the table of "${name}" ${what}`, {
    hint: 'Declare the columns as the table has them, or cast them before.',
    details: { name },
  });
}
