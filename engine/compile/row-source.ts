/**
 * Row source: the JavaScript text with which a generated driver reads rows out of a batch's columns.
 *
 * Names in the text: `i` is a stored row, `vN` and `nN` are the addresses of values and validity of
 * field N (`nN` is 0 without nulls), `u8`, `i16`, `u16`, `i32`, `u32`, `f32`, `f64`, `i64` are views of
 * the whole memory, `h` is the driver's helper. Addresses go up to 4 GiB, hence `>>>`.
 *
 *     class RowView            a getter per field; holds a row number and the call that made it
 *     bind(batch)              puts the batch's addresses into the variables above
 *     readN(i)                 the value of field N as the user reads it
 *     sameN(i, j)              whether two rows of the bound batch have the same field N
 *
 * Why text: the engine's inliner works per function, so a loop that has seen one row class and one
 * user function is four times as fast as one loop shared by six.
 */
import { assertNever } from '../../base/assert.ts';
import { type FieldType, layoutOf, valueSizeOf } from '../schema/field-type.ts';
import type { Field, Schema } from '../schema/schema.ts';

/** `bind` and its variables. */
export function bindSource(schema: Schema): string {
  const names = schema.fields.map((_, n) => `v${n} = 0, n${n} = 0`);
  const sets = schema.fields.map(
    (_, n) => `  v${n} = columns[${n}].values; n${n} = columns[${n}].validity;`,
  );
  return [
    `let ${['selection = 0', ...names].join(', ')};`,
    'function bind(batch) {',
    '  const columns = batch.columns;',
    '  selection = batch.selection;',
    ...sets,
    '}',
    'function storedRow(row) {',
    '  return selection === 0 ? row : u32[(selection + row * 4) >>> 2];',
    '}',
  ].join('\n');
}

/** `readN(i)` of one field. */
export function readSource(field: Field, n: number): string {
  return [
    ...decoderSource(field, n),
    `function read${n}(i) {`,
    ...(field.nullable
      ? [`  if (n${n} !== 0 && ((u8[n${n} + (i >>> 3)] >>> (i & 7)) & 1) === 0) return null;`]
      : []),
    `  ${readBody(field, n)}`,
    '}',
  ].join('\n');
}

function readBody(field: Field, n: number): string {
  const { type } = field;
  switch (type.kind) {
    case 'bool':
      return `return ((u8[v${n} + (i >>> 3)] >>> (i & 7)) & 1) === 1;`;
    case 'int8':
      return `return (u8[v${n} + i] << 24) >> 24;`;
    case 'uint8':
      return `return u8[v${n} + i];`;
    case 'int16':
      return `return i16[(v${n} + i * 2) >>> 1];`;
    case 'uint16':
      return `return u16[(v${n} + i * 2) >>> 1];`;
    case 'int32':
      return `return i32[(v${n} + i * 4) >>> 2];`;
    case 'uint32':
      return `return u32[(v${n} + i * 4) >>> 2];`;
    case 'float32':
      return `return f32[(v${n} + i * 4) >>> 2];`;
    case 'float64':
      return `return f64[(v${n} + i * 8) >>> 3];`;
    case 'utf8':
      return `return h.text(v${n} + i * 16);`;
    case 'binary':
      return `return h.bytes(v${n} + i * 16);`;
    case 'int64':
    case 'timestamp':
      return isNumber(type) ? numberBody(field, n) : `return i64[(v${n} + i * 8) >>> 3];`;
    case 'date':
      return `return h.date(i32[(v${n} + i * 4) >>> 2]);`;
    case 'decimal':
      return `return h.decimal((v${n} + i * 16) >>> 2, ${type.scale});`;
    case 'list':
    case 'struct':
      return `return decode${n}(v${n} + i * 16);`;
    default:
      return assertNever(type);
  }
}

/** `decodeN(view)` of a list or struct. */
function decoderSource({ type, name }: Field, n: number): string[] {
  if (type.kind !== 'list' && type.kind !== 'struct') return [];
  return [`const decode${n} = h.decoder(${JSON.stringify(type)}, ${JSON.stringify(name)});`];
}

/** 64 bits as a checked number: high half times 2^32 plus low half, exact where it is safe. */
function numberBody(field: Field, n: number): string {
  return [
    `const at = (v${n} + i * 8) >>> 2, value = i32[at + 1] * 4294967296 + u32[at];`,
    '  if (value > 9007199254740991 || value < -9007199254740991) ' +
      `h.notSafe(${JSON.stringify(field.name)}, i64[(v${n} + i * 8) >>> 3]);`,
    '  return value;',
  ].join('\n');
}

/** Whether users read values of this 64-bit type as numbers. */
function isNumber(type: FieldType): boolean {
  if (type.kind === 'timestamp') return type.unit === 'ms';
  return type.kind === 'int64' && type.js === 'number';
}

/** `sameN(i, j)`: compares bytes, decodes nothing; two nulls are the same. */
export function sameSource(field: Field, n: number): string {
  const bit = (row: string, at: string) => `((u8[${at} + (${row} >>> 3)] >>> (${row} & 7)) & 1)`;
  return [
    `function same${n}(i, j) {`,
    `  if (n${n} !== 0) {`,
    `    const a = ${bit('i', `n${n}`)}, b = ${bit('j', `n${n}`)};`,
    '    if (a !== b) return false;',
    '    if (a === 0) return true;',
    '  }',
    `  ${sameBody(field, n, bit)}`,
    '}',
  ].join('\n');
}

function sameBody(field: Field, n: number, bit: (row: string, at: string) => string): string {
  const { type } = field;
  const size = valueSizeOf(type);
  const at = (row: string) => `v${n} + ${row} * ${size}`;
  if (type.kind === 'float32' || type.kind === 'float64') {
    return [
      `const a = f${size * 8}[(${at('i')}) / ${size}], b = f${size * 8}[(${at('j')}) / ${size}];`,
      '  return a === b || (a !== a && b !== b);',
    ].join('\n');
  }
  if (layoutOf(type) === 'view') return `return h.sameText(${at('i')}, ${at('j')});`;
  switch (size) {
    case 0:
      return `return ${bit('i', `v${n}`)} === ${bit('j', `v${n}`)};`;
    case 1:
      return `return u8[${at('i')}] === u8[${at('j')}];`;
    case 2:
      return `return u16[(${at('i')}) >>> 1] === u16[(${at('j')}) >>> 1];`;
    case 4:
      return `return i32[(${at('i')}) >>> 2] === i32[(${at('j')}) >>> 2];`;
    default:
      return [
        `const a = (${at('i')}) >>> 2, b = (${at('j')}) >>> 2;`,
        `  return ${Array.from({ length: size / 4 }, (_, word) => `i32[a + ${word}] === i32[b + ${word}]`).join(' && ')};`,
      ].join('\n');
  }
}

/**
 * `RowView`: reads through `readN`, keeps what was decoded. `expire(view)` ends it: its call is over.
 *
 * V8 inlines functions of up to 27 bytes of bytecode wherever they are called, larger ones as long as a loop
 * has room. A getter and `rowOf` stay below that, for a row view costs nothing where all of it is inlined:
 * three of five getters inlined made a map over five fields three times as slow.
 */
export function rowViewSource(schema: Schema): string {
  const names = schema.fields.map((field) => field.name);
  const copied = names.map((name) => `${JSON.stringify(name)}: this[${JSON.stringify(name)}]`);
  // A field called "copy" or "toJSON" wins over the method: fields are what the user declared.
  const methods = ['copy', 'toJSON'].filter((method) => !names.includes(method));
  return [
    'var rowOf, expire;',
    'function expired(field) { h.expired(field); }',
    'class RowView {',
    '  #i;',
    ...schema.fields.flatMap(({ type }, n) => (isKept(type) ? [`  #t${n} = undefined;`] : [])),
    '  constructor(i) { this.#i = i; }',
    '  static {',
    '    rowOf = (view, field) => { const i = view.#i; if (i < 0) expired(field); return i; };',
    '    expire = (view) => { view.#i = -1; };',
    '  }',
    ...schema.fields.map(getterSource),
    ...methods.map(
      (method) => `  ${method}() { return { __proto__: null, ${copied.join(', ')} }; }`,
    ),
    '}',
  ].join('\n');
}

/** Whether a value is decoded at its first read and kept. */
function isKept(type: FieldType): boolean {
  return layoutOf(type) === 'view' || type.kind === 'date' || type.kind === 'decimal';
}

function getterSource({ name, type }: Field, n: number): string {
  const quoted = JSON.stringify(name);
  const read = `read${n}(rowOf(this, ${quoted}))`;
  if (!isKept(type)) return `  get [${quoted}]() { return ${read}; }`;
  return [
    `  get [${quoted}]() {`,
    `    const i = rowOf(this, ${quoted});`,
    `    if (this.#t${n} === undefined) this.#t${n} = read${n}(i);`,
    `    return this.#t${n};`,
    '  }',
  ].join('\n');
}
