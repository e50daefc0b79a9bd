/** Goal: each line is read with the path of its file, however many files a batch has lines of. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitOf } from '../../../connectors/filesystem/file-range.ts';
import { createTextReader } from '../../../connectors/formats/text-reader.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { emptyAtEnd, slotContext } from '../../support/slot-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const linesOf = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'ä', ' '), maxLength: 12 }), {
  maxLength: 30,
});

test.each([[['text', 'file']], [['file', 'text']], [['file']], [['text']]])(
  'columns %j',
  (names) => {
    fc.assert(
      fc.property(fc.array(linesOf, { minLength: 1, maxLength: 6 }), (given) => {
        const name = (index: number) =>
          index % 2 === 0 ? `${index}.txt` : `a longer name ${index}.txt`;
        const texts = given.map((lines) => lines.map((line) => `${line}\n`).join(''));
        const folder = tempFolder(
          Object.fromEntries(texts.map((text, index) => [name(index), text])),
        );
        const paths = given.map((_, index) => join(folder, name(index)));
        const ranges = paths.map((path) => {
          const fileSize = statSync(path).size;
          return { path, start: 0, end: fileSize, fileSize };
        });
        const schema = schemaOf(...names.map((one) => fieldOf(one, utf8Type)));
        const reader = createTextReader(
          { invalidUtf8: 'fail', pathColumn: 'file', bufferBytes: 64 },
          slotContext(schema, { memory: emptyAtEnd(64 << 20) }),
        );
        const found: unknown[] = [];
        reader.open(splitOf(ranges));
        for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
          if (typeof batch === 'string') continue;
          found.push(...readRows(batch));
          batch.release();
        }
        reader.close();
        const expected = given.flatMap((lines, index) =>
          lines.map((text) => {
            const row: Record<string, unknown> = { text, file: paths[index] };
            return Object.fromEntries(names.map((one) => [one, row[one]]));
          }),
        );
        expect(found).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  },
);
