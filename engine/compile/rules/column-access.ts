/**
 * Values of a row loaded from a column, and stored into a result. Bits of results are not stored
 * here: the loop gathers them.
 */
import { assert } from '../../../base/assert.ts';
import { type FieldType, valueSizeOf } from '../../schema/field-type.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import type { MemoryCode, PlainCode } from '../wasm/instructions.ts';
import type { RuleContext } from './rule-context.ts';
import { bytesOf, inlineSize, lengthOf, prefixOf } from './text-value.ts';
import { formOf, isNumberForm, partOf, type Value } from './value.ts';

interface Access {
  readonly load: MemoryCode;
  readonly store: MemoryCode;
  /** What brings a stored number to its form, and back. */
  readonly afterLoad?: PlainCode;
  readonly beforeStore?: PlainCode;
}

const int32Access: Access = { load: 'i32.load', store: 'i32.store' };
const int64Access: Access = { load: 'i64.load', store: 'i64.store' };

/** By kind of type, for those whose values are one number of whole bytes. */
const accesses: Partial<Record<FieldType['kind'], Access>> = {
  int8: { load: 'i32.load8_s', store: 'i32.store8' },
  uint8: { load: 'i32.load8_u', store: 'i32.store8' },
  int16: { load: 'i32.load16_s', store: 'i32.store16' },
  uint16: { load: 'i32.load16_u', store: 'i32.store16' },
  int32: int32Access,
  date: int32Access,
  uint32: { load: 'i64.load32_u', store: 'i64.store32' },
  int64: int64Access,
  timestamp: int64Access,
  float32: {
    load: 'f32.load',
    store: 'f32.store',
    afterLoad: 'f64.promote_f32',
    beforeStore: 'f32.demote_f64',
  },
  float64: { load: 'f64.load', store: 'f64.store' },
};

/** The parts of a row's value in the column at `values`. */
export function loadColumn({ code, row }: RuleContext, type: FieldType, values: Local): Local[] {
  const form = formOf(type);
  if (type.kind === 'bool') return [pushBit(code, values, row).keep('i32')];
  const address = () => pushAddress(code, values, row, valueSizeOf(type));
  if (form === 'view') return [address().keep('i32')];
  if (form === 'i128') {
    const at = address().keep('i32');
    return [0, 8].map((offset) => code.get(at).at('i64.load', offset).keep('i64'));
  }
  const { load, afterLoad } = accessOf(type);
  address().at(load);
  if (afterLoad !== undefined) code.op(afterLoad);
  return [code.keep(form)];
}

/** Stores the row's value into the column at `values`; anything but bools. */
export function storeColumn(context: RuleContext, value: Value, values: Local): void {
  const { code, row } = context;
  const { type, form } = value;
  const address = () => pushAddress(code, values, row, valueSizeOf(type));
  if (isNumberForm(form)) {
    const { store, beforeStore } = accessOf(type);
    address().get(partOf(value));
    if (beforeStore !== undefined) code.op(beforeStore);
    code.at(store);
    return;
  }
  const at = address().keep('i32');
  if (form === 'i128') {
    code.get(at).get(partOf(value, 0)).at('i64.store');
    code.get(at).get(partOf(value, 1)).at('i64.store', 8);
    return;
  }
  storeView(context, value, at);
}

/** A bit of a bitmap, as 0 or 1 on the stack. */
export function pushBit(code: CodeBuilder, bitmap: Local, row: Local): CodeBuilder {
  code.get(bitmap).get(row).i32(3).op('i32.shr_u', 'i32.add').at('i32.load8_u');
  return code.get(row).i32(7).op('i32.and', 'i32.shr_u').i32(1).op('i32.and');
}

function accessOf({ kind }: FieldType): Access {
  const access = accesses[kind];
  assert(access !== undefined, 'values of the type are one number');
  return access;
}

/** The address of a row's value, of a size that is a power of two. */
function pushAddress(code: CodeBuilder, values: Local, row: Local, size: number): CodeBuilder {
  code.get(values).get(row);
  if (size > 1) code.i32(31 - Math.clz32(size)).op('i32.shl');
  return code.op('i32.add');
}

/** A view: copied, or made of length and address; of a null 16 zero bytes. */
function storeView(context: RuleContext, value: Value, target: Local): void {
  const { code } = context;
  const { valid } = value;
  const head = value.form === 'view' ? headOfView(code, value) : headOfBytes(context, value);
  const prefix = prefixOf(context, value);
  for (const [index, word] of [head, prefix].entries()) {
    code.get(target).get(word);
    if (valid !== null) code.i64(0n).get(valid).op('select');
    code.at('i64.store', index * 8);
  }
}

function headOfView(code: CodeBuilder, value: Value): Local {
  return code.get(partOf(value)).at('i64.load').keep('i64');
}

/** Length, and the address where the bytes are not in the view. */
function headOfBytes(context: RuleContext, value: Value): Local {
  const { code } = context;
  const length = lengthOf(context, value);
  const bytes = bytesOf(context, value);
  code.get(bytes).op('i64.extend_i32_u').i64(32n).op('i64.shl');
  code.i64(0n).get(length).i32(inlineSize).op('i32.gt_u', 'select');
  return code.get(length).op('i64.extend_i32_u', 'i64.or').keep('i64');
}
