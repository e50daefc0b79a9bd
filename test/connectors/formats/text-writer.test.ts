/** Goal: text is written as lines that read back as they are, and what no line can hold is an error. */
import { expect, test } from 'vitest';
import { OutputBuffer } from '../../../connectors/formats/output-buffer.ts';
import { TextWriter } from '../../../connectors/formats/text-writer.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { makeBatch, withMemory } from '../../support/batches.ts';
import { collector } from '../../support/sink-values.ts';

const schema = schemaOf(fieldOf('line', utf8Type, true));

function write(
  lines: readonly (string | null)[],
  selected: readonly number[] | null = null,
): string {
  return withMemory(({ scope }) => {
    const { send, text } = collector();
    const output = new OutputBuffer(scope, send);
    const batch = makeBatch(scope, { schema, rows: lines.map((line) => [line]), selected });
    try {
      const writer = new TextWriter(schema, output);
      writer.writeHeader();
      writer.writeRows(batch);
      writer.writeFooter();
      output.flush();
      return text();
    } finally {
      batch.release();
      output.close();
    }
  });
}

test('a line per row, of the selected ones', () => {
  const lines = ['', 'é', 'longer than eight', 'with\rreturn', '"quotes", too'];
  expect(write(lines)).toBe(lines.map((line) => `${line}\n`).join(''));
  expect(write(lines, [1, 4])).toBe('é\n"quotes", too\n');
});

test.each([
  [null, 'is null'],
  ['a\nb', 'has a line break in it'],
  ['long enough to be elsewhere\n', 'has a line break in it'],
  ['a\r', 'ends with a carriage return'],
])('%j is an error', (line, what) => {
  expect(() => write(['fine', line])).toThrow(
    expect.objectContaining({
      message: `column "line" has a text that ${what}`,
      info: expect.objectContaining({ code: 'VALUE_NOT_A_LINE' }),
    }),
  );
});

test('a stream of other columns than one of text is an error', () => {
  const others: Schema[] = [
    schemaOf(fieldOf('n', int32Type)),
    schemaOf(fieldOf('a', utf8Type), fieldOf('b', utf8Type)),
  ];
  for (const other of others) {
    withMemory(({ scope }) => {
      const output = new OutputBuffer(scope, () => {});
      expect(() => new TextWriter(other, output)).toThrow(
        expect.objectContaining({ info: expect.objectContaining({ code: 'TEXT_ONE_COLUMN' }) }),
      );
      output.close();
    });
  }
});
