/**
 * Output source: the JavaScript text with which a generated driver appends what a user's function
 * gave out to a batch builder.
 *
 *     append(out)   numbers that fit, and there is room  ─▶ stored where their columns are
 *                   anything else                        ─▶ the columns' writers, which check it
 *
 * Each column has its own writer, `wN`, in a variable of its own, so every call in the text sees one
 * class only. What a writer refuses is thrown again with the names of the operator and the function, and
 * the row that it came from. The first row of a batch goes through the writers, which make room; `bN` is
 * then where column N begins, as an index of the view of its type.
 *
 * Why both: V8 inlines some 900 bytes of code into a loop. Where the row's getters and the writes fit, no row
 * is allocated; with a writer's call per value they did not.
 */
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { Field, Schema } from '../schema/schema.ts';

/** `append(out, subject)`: one output row, an object with a value per field. */
export function appendRowSource(output: Schema): string {
  const reads = output.fields.map(({ name }, n) => `o${n} = out[${JSON.stringify(name)}];`);
  return [
    ...placesSource(output),
    'function append(out, subject) {',
    "  if (out === null || typeof out !== 'object') h.notRow(out, subject);",
    `  let ${valuesOf(output)};`,
    `  try { ${reads.join(' ')} } catch (error) { throw h.refused(error, subject); }`,
    ...writeSource(output),
    '}',
  ].join('\n');
}

/** `appendValues(o0, o1, …, subject)`: one output row, given value by value. */
export function appendValuesSource(output: Schema): string {
  return [
    ...placesSource(output),
    `function appendValues(${valuesOf(output)}, subject) {`,
    ...writeSource(output),
    '}',
  ].join('\n');
}

/** The writers of a builder by the names that the text uses. */
export function writersOf(builder: BatchBuilder): Record<string, unknown> {
  const entries = builder.schema.fields.map((_, n) => [`w${n}`, builder.writerOf(n)]);
  return Object.fromEntries(entries);
}

/** How a value of a column is stored where the column is; of int64 those of 32 bits. */
interface Store {
  readonly sizeBytes: number;
  readonly fits: (value: string) => string;
  readonly store: (base: string, value: string) => string;
}

/** Null for what only its writer can store: what may be null, and what is no plain number. */
function storeOf({ type, nullable }: Field): Store | null {
  if (nullable) return null;
  const isInt32 = (value: string) => `typeof ${value} === 'number' && (${value} | 0) === ${value}`;
  switch (type.kind) {
    case 'int32':
      return {
        sizeBytes: 4,
        fits: isInt32,
        store: (base, value) => `i32[${base} + at] = ${value};`,
      };
    case 'float64':
      return {
        sizeBytes: 8,
        fits: (value) => `typeof ${value} === 'number'`,
        store: (base, value) => `f64[${base} + at] = ${value};`,
      };
    case 'int64':
      return {
        sizeBytes: 4,
        fits: isInt32,
        store: (base, value) =>
          `i32[${base} + at * 2] = ${value}; i32[${base} + at * 2 + 1] = ${value} >> 31;`,
      };
    default:
      return null;
  }
}

/** `room`, and `setAll`: a row through the writers, after which there may be room for others. */
function placesSource(output: Schema): string[] {
  const all = output.fields.map((_, n) => `w${n}.set(at, o${n});`).join(' ');
  const own = storedFields(output);
  const places = own.map(({ n, sizeBytes }) => `b${n} = w${n}.address / ${sizeBytes};`);
  const rooms = own.map(({ n }) => `w${n}.room`).join(', ');
  return [
    `let ${['room = 0', ...own.map(({ n }) => `b${n} = 0`)].join(', ')};`,
    `function setAll(at, ${valuesOf(output)}, subject) {`,
    `  try { ${all} } catch (error) { throw h.refused(error, subject); }`,
    ...(own.length === 0 ? [] : [`  room = Math.min(${rooms});`, `  ${places.join(' ')}`]),
    '}',
  ];
}

/** Row 0 goes through the writers always: its batch has other places than the one before. */
function writeSource(output: Schema): string[] {
  const own = storedFields(output);
  const others = output.fields.flatMap((field, n) => (storeOf(field) === null ? [n] : []));
  const sets = others.map((n) => `w${n}.set(at, o${n});`).join(' ');
  const slow = `setAll(at, ${valuesOf(output)}, subject);`;
  if (own.length === 0)
    return ['  const at = builder.rowCount;', `  ${slow}`, '  builder.endRow();'];
  return [
    '  const at = builder.rowCount;',
    `  if (at !== 0 && at < room && ${own.map(({ n, fits }) => fits(`o${n}`)).join(' && ')}) {`,
    ...own.map(({ n, store }) => `    ${store(`b${n}`, `o${n}`)}`),
    ...(others.length === 0
      ? []
      : [`    try { ${sets} } catch (error) { throw h.refused(error, subject); }`]),
    `  } else ${slow}`,
    '  builder.endRow();',
  ];
}

function storedFields({ fields }: Schema): (Store & { readonly n: number })[] {
  return fields.flatMap((field, n) => {
    const store = storeOf(field);
    return store === null ? [] : [{ ...store, n }];
  });
}

function valuesOf(output: Schema): string {
  return output.fields.map((_, n) => `o${n}`).join(', ');
}
