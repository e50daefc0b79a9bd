/**
 * Output source: the JavaScript text with which a generated driver appends what a user's function
 * gave out to a batch builder.
 *
 * Each column has its own writer, `wN`, in a variable of its own, so every call in the text sees one
 * class only. The writers check the values; what they refuse is thrown again with the names of the
 * operator and the function, and the row that it came from.
 */
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { Schema } from '../schema/schema.ts';

/** `append(out, subject)`: one output row, an object with a value per field. */
export function appendRowSource(output: Schema): string {
  const values = output.fields.map(({ name }) => `out[${JSON.stringify(name)}]`);
  return [
    'function append(out, subject) {',
    "  if (out === null || typeof out !== 'object') h.notRow(out, subject);",
    ...writeSource(values),
    '}',
  ].join('\n');
}

/** `appendValues(o0, o1, …, subject)`: one output row, given value by value. */
export function appendValuesSource(output: Schema): string {
  const values = output.fields.map((_, n) => `o${n}`);
  return [
    `function appendValues(${values.join(', ')}, subject) {`,
    ...writeSource(values),
    '}',
  ].join('\n');
}

/** The writers of a builder by the names that the text uses. */
export function writersOf(builder: BatchBuilder): Record<string, unknown> {
  const entries = builder.schema.fields.map((_, n) => [`w${n}`, builder.writerOf(n)]);
  return Object.fromEntries(entries);
}

function writeSource(values: readonly string[]): string[] {
  return [
    '  const at = builder.rowCount;',
    '  try {',
    ...values.map((value, n) => `    w${n}.set(at, ${value});`),
    '    builder.endRow();',
    '  } catch (error) { throw h.refused(error, subject); }',
  ];
}
