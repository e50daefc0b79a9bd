/**
 * Rule of casts among numbers, bools, dates, timestamps and texts, and of texts to binaries and back. A
 * value that does not fit sets the row's error, or is null where the cast is a try. Decimals that become
 * floats or lose some of their scale, and lists and structs, are left to the reference.
 */
import type { Expr } from '../../expr/expr.ts';
import { castScratchBytes } from '../../kernels/cast-text-kernels.ts';
import { type FieldType, int64Type } from '../../schema/field-type.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import { floorDivide } from './calendar-steps.ts';
import { readText, writtenText } from './cast-text-rule.ts';
import { constant128, type Int128, multiply128, pushCompare128, widened128 } from './int128.ts';
import { pushAs } from './number-forms.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import { reserve } from './text-making-rules.ts';
import { bytesOf, ifAsked, lengthOf } from './text-value.ts';
import { failedWhere, formOf, isNumberForm, partOf, type Value } from './value.ts';

/** The largest power of ten that an i64 holds. */
const scaleMax64 = 18;

/** What a cast makes of a value: its parts, and whether it does not fit (null: it always does). */
interface CastResult {
  readonly parts: readonly Local[];
  readonly isLost: Local | null;
}

export function castRule(context: RuleContext, expr: Expr & { readonly kind: 'cast' }): Value {
  const { code } = context;
  const { type, isTry } = expr;
  const input = context.value(expr.input);
  const { valid, failed } = input;
  if (type.kind === 'utf8' && !isBytes(input.type)) return writtenText(context, input, type);
  const { parts, isLost } = isBytes(input.type)
    ? bytesParts(context, input, type)
    : input.type.kind === 'decimal' && isInteger(type)
      ? cutParts(context, { input, from: input.type, to: type })
      : castParts(code, input, type);
  // Bytes of a text are those of the binary, in whatever form.
  const form = input.form === 'bytes' && isBytes(type) ? 'bytes' : formOf(type);
  if (isLost === null) return { type, form, parts, valid, failed };
  if (!isTry) {
    code.get(isLost);
    return { type, form, parts, valid, failed: failedWhere(code, [input], valid) };
  }
  code.get(isLost).op('i32.eqz');
  if (valid !== null) code.get(valid).op('i32.and');
  return { type, form, parts, valid: code.keep('i32'), failed };
}

function castParts(code: CodeBuilder, input: Value, to: FieldType): CastResult {
  const { type: from } = input;
  const form = formOf(to);
  const hasSizes = ['timestamp', 'decimal', 'list', 'struct'].includes(from.kind);
  if (from.kind === to.kind && !hasSizes) return always(input.parts);
  if (isTime(from) || isTime(to)) return timeParts(code, input, to);
  if (to.kind === 'decimal') return decimalParts(code, input, to);
  if (!isNumberForm(input.form) || !isNumberForm(form)) throw noCast(from, to);
  if (form === 'f64') {
    pushAs(code, input, 'f64');
    if (to.kind === 'float32') code.op('f32.demote_f64', 'f64.promote_f32');
    return always([code.keep('f64')]);
  }
  return input.form === 'f64' ? wholeParts(code, input, to) : integerParts(code, input, to);
}

function isInteger({ kind }: FieldType): boolean {
  return kind === 'int64' || (kind in ranges && kind !== 'bool');
}

/** Decimals to integers: the fraction is cut off. Most fit into 64 bits and are divided there. */
function cutParts(
  context: RuleContext,
  { input, from, to }: { input: Value; from: FieldType & { kind: 'decimal' }; to: FieldType },
): CastResult {
  const { code } = context;
  const [low, high] = [partOf(input, 0), partOf(input, 1)];
  const wide = code.i64(0n).keep('i64');
  const isWide = code.i32(0).keep('i32');
  const whole = context.kernel('wholeOfDecimal', ['i64', 'i64', 'i32'], 'i64');
  const isTooWide = context.kernel('isWideDecimal', ['i64', 'i64', 'i32'], 'i32');
  code.get(low).i64(63n).op('i64.shr_s').get(high).op('i64.eq');
  code.i32(from.scale <= scaleMax64 ? 1 : 0).op('i32.and');
  code.if(
    () => {
      const divisor = 10n ** BigInt(Math.min(from.scale, scaleMax64));
      code.get(low).i64(divisor).op('i64.div_s').set(wide);
    },
    () => {
      code.get(low).get(high).i32(from.scale).call(whole).set(wide);
      code.get(low).get(high).i32(from.scale).call(isTooWide).set(isWide);
    },
  );
  if (to.kind === 'int64') return { parts: [wide], isLost: isWide };
  const narrow = integerParts(code, { ...input, type: int64Type, form: 'i64', parts: [wide] }, to);
  code.get(isWide);
  if (narrow.isLost !== null) code.get(narrow.isLost).op('i32.or');
  return { parts: narrow.parts, isLost: code.keep('i32') };
}

/** Texts and binaries: what they are of, the other is too, if it is UTF-8. */
function bytesParts(context: RuleContext, input: Value, to: FieldType): CastResult {
  const { code } = context;
  if (to.kind === 'utf8' && input.type.kind === 'binary') {
    const isLost = code.i32(0).keep('i32');
    ifAsked(context, input, () => {
      code.i32(castScratchBytes);
      reserve(context);
      const bytes = bytesOf(context, input);
      code.get(bytes).get(bytes).get(lengthOf(context, input)).op('i32.add');
      code.get(context.room.at);
      code.call(context.kernel('findInvalidUtf8', ['i32', 'i32', 'i32'], 'i32'));
      code.i32(0).op('i32.ne').set(isLost);
    });
    return { parts: input.parts, isLost };
  }
  if (isBytes(to)) return always(input.parts);
  if (input.type.kind === 'binary') throw noCast(input.type, to);
  const { parts, isLost } = readText(context, input, to);
  const [wide] = parts;
  if (wide === undefined || !(to.kind in ranges) || to.kind === 'bool') {
    if (to.kind === 'float32' && wide !== undefined) {
      code.get(wide).op('f32.demote_f64', 'f64.promote_f32').set(wide);
    }
    return { parts, isLost };
  }
  const narrow = integerParts(code, { ...input, type: int64Type, form: 'i64', parts }, to);
  code.get(isLost);
  if (narrow.isLost !== null) code.get(narrow.isLost).op('i32.or');
  return { parts: narrow.parts, isLost: code.keep('i32') };
}

function isBytes({ kind }: FieldType): boolean {
  return kind === 'utf8' || kind === 'binary';
}

function isTime({ kind }: FieldType): boolean {
  return kind === 'date' || kind === 'timestamp';
}

function always(parts: readonly Local[]): CastResult {
  return { parts, isLost: null };
}

function noCast(from: FieldType, to: FieldType): NoRule {
  return new NoRule(`cast of ${from.kind} to ${to.kind}`);
}

/** Of integers of up to 32 bits, and of bools as 0 and 1. */
const ranges: Partial<Record<FieldType['kind'], readonly [bigint, bigint]>> = {
  bool: [0n, 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
};

/** Integers to integers: in range or not. */
function integerParts(code: CodeBuilder, input: Value, to: FieldType): CastResult {
  const wide = pushAs(code, input, 'i64').keep('i64');
  if (to.kind === 'int64') return always([wide]);
  const isLost = pushIsOutside(code, wide, to).keep('i32');
  if (formOf(to) === 'i64') return { parts: [wide], isLost };
  code.get(wide).op('i32.wrap_i64');
  // A bool that is null or failed is 0 or 1 all the same: bits are made of it.
  if (to.kind === 'bool') code.i32(1).op('i32.and');
  return { parts: [code.keep('i32')], isLost };
}

function pushIsOutside(code: CodeBuilder, wide: Local, { kind }: FieldType): CodeBuilder {
  const [min, max] = ranges[kind] ?? [0n, 0n];
  // One comparison: below the range a difference goes round to a large number.
  return code
    .get(wide)
    .i64(min)
    .op('i64.sub')
    .i64(max - min)
    .op('i64.gt_u');
}

/** Floats to integers: the fraction is cut off. */
function wholeParts(code: CodeBuilder, input: Value, to: FieldType): CastResult {
  if (to.kind === 'bool') throw noCast(input.type, to);
  const whole = code.get(partOf(input)).op('f64.trunc').keep('f64');
  const wide = code.get(whole).op('i64.trunc_sat_f64_s').keep('i64');
  if (to.kind !== 'int64') {
    pushIsOutside(code, wide, to);
    // Saturated to 0, which is in range.
    code.get(whole).get(whole).op('f64.ne', 'i32.or');
    const isLost = code.keep('i32');
    if (formOf(to) === 'i64') return { parts: [wide], isLost };
    return { parts: [code.get(wide).op('i32.wrap_i64').keep('i32')], isLost };
  }
  // NaN is in no range.
  code
    .get(whole)
    .f64(-(2 ** 63))
    .op('f64.ge')
    .get(whole)
    .f64(2 ** 63)
    .op('f64.lt', 'i32.and');
  return { parts: [wide], isLost: code.op('i32.eqz').keep('i32') };
}

/** Integers and decimals to decimals of the same or a larger scale. */
function decimalParts(
  code: CodeBuilder,
  input: Value,
  to: FieldType & { kind: 'decimal' },
): CastResult {
  const { type: from, form } = input;
  const fromScale = from.kind === 'decimal' ? from.scale : 0;
  const shift = to.scale - fromScale;
  if (form === 'f64' || from.kind === 'bool' || shift < 0) throw noCast(from, to);
  const own =
    form === 'i128'
      ? { low: partOf(input, 0), high: partOf(input, 1) }
      : widened128(code, pushAs(code, input, 'i64').keep('i64'));
  // What has too many digits is found before it is multiplied, and goes round.
  const limit = 10n ** BigInt(to.precision - shift);
  const compare = (op: 'ge' | 'le', bound: bigint) =>
    pushCompare128(code, op, { a: own, b: constant128(code, bound) });
  compare('ge', limit);
  const isAbove = code.keep('i32');
  compare('le', -limit);
  const isLost = code.get(isAbove).op('i32.or').keep('i32');
  const scaled: Int128 =
    shift === 0 ? own : multiply128(code, own, constant128(code, 10n ** BigInt(shift)));
  return { parts: [scaled.low, scaled.high], isLost };
}

const unitsPerDay = { ms: 86_400_000n, us: 86_400_000_000n } as const;

/** Dates, timestamps, and the integers that count their days and units. */
function timeParts(code: CodeBuilder, input: Value, to: FieldType): CastResult {
  const { type: from, parts } = input;
  const value = partOf(input);
  if (from.kind === 'date' && to.kind === 'timestamp') {
    code.get(value).op('i64.extend_i32_s');
    return multiplied(code, code.keep('i64'), unitsPerDay[to.unit]);
  }
  if (from.kind === 'timestamp' && to.kind === 'date') {
    const days = floorDivide(code, value, unitsPerDay[from.unit]);
    const isLost = code.get(days).get(days).op('i64.extend32_s', 'i64.ne').keep('i32');
    return { parts: [code.get(days).op('i32.wrap_i64').keep('i32')], isLost };
  }
  if (from.kind === 'timestamp' && to.kind === 'timestamp') {
    if (from.unit === to.unit) return always(parts);
    if (to.unit === 'us') return multiplied(code, value, 1000n);
    return always([floorDivide(code, value, 1000n)]);
  }
  const isCount = ['date>int32', 'int32>date', 'timestamp>int64', 'int64>timestamp'].includes(
    `${from.kind}>${to.kind}`,
  );
  if (isCount || from.kind === to.kind) return always(parts);
  throw noCast(from, to);
}

function multiplied(code: CodeBuilder, value: Local, factor: bigint): CastResult {
  const product = code.get(value).i64(factor).op('i64.mul').keep('i64');
  code.get(product).i64(factor).op('i64.div_s').get(value).op('i64.ne');
  return { parts: [product], isLost: code.keep('i32') };
}
