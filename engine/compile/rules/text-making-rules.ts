/**
 * Rules of functions that make new texts. Their bytes go to the room that the program was given; where
 * it is used up the program stops before the row, and goes on when there is more.
 *
 *     room   … earlier rows │ this row so far │ next byte …        end
 */

import type { TextFunction } from '../../expr/function-name.ts';
import { textLengthMax } from '../../expr/value.ts';
import type { FieldType } from '../../schema/field-type.ts';
import type { Local } from '../wasm/code-builder.ts';
import { argOf, type CallExpr, type CallRule } from './call-rule.ts';
import { pushAs } from './number-forms.ts';
import type { RuleContext } from './rule-context.ts';
import { bytesOf, ifAsked, ifTrue, lengthOf } from './text-value.ts';
import { allValid, anyFailed, type Value } from './value.ts';

export const textMakingRules: Readonly<Partial<Record<TextFunction, CallRule>>> = {
  concat: concatRule,
  lower: (context, call) => caseRule(context, call, { kernel: 'lowerAscii', host: 'lower' }),
  upper: (context, call) => caseRule(context, call, { kernel: 'upperAscii', host: 'upper' }),
  padEnd: padRule,
  padStart: padRule,
  repeat: repeatRule,
  replace: replaceRule,
  reverse: reverseRule,
};

/**
 * A text that `make` writes to the room; it leaves the length on the stack. Run only where the result
 * is asked for and no input is null.
 */
function made(
  context: RuleContext,
  { type }: CallExpr,
  inputs: readonly Value[],
  make: (room: Local) => void,
): Value {
  return madeText(context, type, inputs, make);
}

/** As `made`, of any kind of expression. */
export function madeText(
  context: RuleContext,
  type: FieldType,
  inputs: readonly Value[],
  make: (room: Local) => void,
): Value {
  const { code } = context;
  const valid = allValid(code, inputs);
  const failed = anyFailed(code, inputs);
  const { at } = context.room;
  const [length, address] = [code.local('i32'), code.local('i32')];
  code.i32(0).set(length).i32(0).set(address);
  ifAsked(context, { valid, failed }, () => {
    make(at);
    code.set(length);
    code.get(at).set(address);
    code.get(at).get(length).op('i32.add').set(at);
  });
  return { type, form: 'bytes', parts: [length, address], valid, failed };
}

/** More than a text can have: asking for it ends with an error of memory. */
const roomMax = 0x7fff_ffffn;

/** Stops the program where the room has less than the bytes on the stack. */
export function reserve(context: RuleContext): Local {
  const { code, room } = context;
  const needed = code.keep('i32');
  code.get(needed).get(room.end).get(room.at).op('i32.sub', 'i32.gt_u');
  code.if(() => context.stopForRoom(needed));
  return needed;
}

function concatRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const texts = call.args.map((arg) => context.value(arg));
  return made(context, call, texts, (at) => {
    const lengths = texts.map((text) => lengthOf(context, text));
    // In 64 bits, and never above what no memory has: many long texts must not go round.
    code.i64(0n);
    for (const length of lengths) code.get(length).op('i64.extend_i32_u', 'i64.add');
    const sum = code.keep('i64');
    code.get(sum).i64(roomMax).get(sum).i64(roomMax).op('i64.lt_u', 'select', 'i32.wrap_i64');
    const total = reserve(context);
    const copy = context.kernel('copyText', ['i32', 'i32', 'i32']);
    const out = code.get(at).keep('i32');
    for (const [index, text] of texts.entries()) {
      const length = lengths[index] ?? total;
      code.get(bytesOf(context, text)).get(length).get(out).call(copy);
      code.get(out).get(length).op('i32.add').set(out);
    }
    code.get(total);
  });
}

/** ASCII by a kernel; other texts as JavaScript has them, whose tables of letters are complete. */
function caseRule(
  context: RuleContext,
  call: CallExpr,
  { kernel, host }: { kernel: 'lowerAscii' | 'upperAscii'; host: 'lower' | 'upper' },
): Value {
  const { code } = context;
  const text = context.value(argOf(call, 0));
  return made(context, call, [text], (at) => {
    const [bytes, length] = [bytesOf(context, text), lengthOf(context, text)];
    code.get(length);
    reserve(context);
    const result = code.get(length).keep('i32');
    code
      .get(bytes)
      .get(length)
      .get(at)
      .call(context.kernel(kernel, ['i32', 'i32', 'i32'], 'i32'));
    ifTrue(context, code.op('i32.eqz').keep('i32'), () => {
      const four = Array(4).fill('i32');
      code.get(bytes).get(length).get(at).get(context.room.end);
      code.call(context.host(host, four, 'i32')).set(result);
      code.get(result);
      reserve(context);
    });
    code.get(result);
  });
}

function replaceRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const texts = call.args.map((arg) => context.value(arg));
  return made(context, call, texts, (at) => {
    const locals = texts.flatMap((text) => [bytesOf(context, text), lengthOf(context, text)]);
    const six = Array(6).fill('i32');
    for (const local of locals) code.get(local);
    code.call(context.kernel('replacedSize', six, 'i32'));
    const size = reserve(context);
    for (const local of locals) code.get(local);
    code.get(at).call(context.kernel('replaceText', [...six, 'i32']));
    code.get(size);
  });
}

function reverseRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const text = context.value(argOf(call, 0));
  return made(context, call, [text], (at) => {
    const [bytes, length] = [bytesOf(context, text), lengthOf(context, text)];
    code.get(length);
    reserve(context);
    const reverse = context.kernel('reverseText', ['i32', 'i32', 'i32']);
    code.get(bytes).get(length).get(at).call(reverse).get(length);
  });
}

/** The number on the stack, an i32 or i64, cut to 0 and what no text is as long as. */
function pushCount(context: RuleContext, count: Value): Local {
  const { code } = context;
  const wide = pushAs(code, count, 'i64').keep('i64');
  code.i64(0n).get(wide).get(wide).i64(0n).op('i64.lt_s', 'select');
  const positive = code.keep('i64');
  const countMax = BigInt(textLengthMax) + 1n;
  code.i64(countMax).get(positive).get(positive).i64(countMax).op('i64.gt_s', 'select');
  return code.op('i32.wrap_i64').keep('i32');
}

/** A made text that is too long where `isLong` is set, which is an error of the row. */
function orTooLong(context: RuleContext, value: Value, isLong: Local): Value {
  const { code } = context;
  code.get(isLong);
  if (value.failed !== null) code.get(value.failed).op('i32.or');
  return { ...value, failed: code.keep('i32') };
}

function repeatRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const text = context.value(argOf(call, 0));
  const count = context.value(argOf(call, 1));
  const isLong = code.local('i32');
  code.i32(0).set(isLong);
  const value = made(context, call, [text, count], (at) => {
    const [bytes, length] = [bytesOf(context, text), lengthOf(context, text)];
    const times = pushCount(context, count);
    // The limit is of UTF-16 units, as the reference counts.
    code
      .get(bytes)
      .get(length)
      .call(context.kernel('utf16Length', ['i32', 'i32'], 'i32'));
    code.op('i64.extend_i32_u').get(times).op('i64.extend_i32_u', 'i64.mul');
    code.i64(BigInt(textLengthMax)).op('i64.gt_s').set(isLong);
    code.i32(0).get(length).get(times).op('i32.mul').get(isLong).op('select');
    const size = reserve(context);
    code.get(bytes).get(length).get(at).get(size);
    code.call(context.kernel('fillText', ['i32', 'i32', 'i32', 'i32'])).get(size);
  });
  return orTooLong(context, value, isLong);
}

/** Fills a text up to a length; one that is as long already is copied as it is. */
function padRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const inputs = call.args.map((arg) => context.value(arg));
  const [text, count, fill] = inputs as [Value, Value, Value];
  const isLong = code.local('i32');
  code.i32(0).set(isLong);
  const value = made(context, call, inputs, (at) => {
    const missing = missingPoints(context, { text, count, fill, isLong });
    const padding = code.i32(0).keep('i32');
    ifTrue(context, code.get(missing).i32(0).op('i32.ne').keep('i32'), () => {
      const fillSize = context.kernel('fillSize', ['i32', 'i32', 'i32'], 'i32');
      code.get(bytesOf(context, fill)).get(lengthOf(context, fill)).get(missing);
      code.call(fillSize).set(padding);
    });
    const length = lengthOf(context, text);
    code.get(length).get(padding).op('i32.add');
    const size = reserve(context);
    const isAtStart = call.function === 'padStart';
    const placeBehind = (own: Local) => code.get(at).get(own).op('i32.add').keep('i32');
    const textPlace = isAtStart ? placeBehind(padding) : at;
    const fillPlace = isAtStart ? at : placeBehind(length);
    code.get(bytesOf(context, text)).get(length).get(textPlace);
    code.call(context.kernel('copyText', ['i32', 'i32', 'i32']));
    code.get(bytesOf(context, fill)).get(lengthOf(context, fill)).get(fillPlace).get(padding);
    code.call(context.kernel('fillText', ['i32', 'i32', 'i32', 'i32'])).get(size);
  });
  return orTooLong(context, value, isLong);
}

/** Code points that a text lacks: 0 where it lacks none, or more than there may be (`isLong`). */
function missingPoints(
  context: RuleContext,
  { text, count, fill, isLong }: { text: Value; count: Value; fill: Value; isLong: Local },
): Local {
  const { code } = context;
  const wide = pushAs(code, count, 'i64').keep('i64');
  code.i64(0n).get(wide).get(wide).i64(0n).op('i64.lt_s', 'select');
  code.get(bytesOf(context, text)).get(lengthOf(context, text));
  code.call(context.kernel('textLength', ['i32', 'i32'], 'i32')).op('i64.extend_i32_u', 'i64.sub');
  const missing = code.keep('i64');
  const canFill = code.get(lengthOf(context, fill)).i32(0).op('i32.ne').keep('i32');
  code.get(missing).i64(BigInt(textLengthMax)).op('i64.gt_s').get(canFill).op('i32.and');
  code.set(isLong);
  code.get(missing).op('i32.wrap_i64').i32(0);
  code.get(missing).i64(0n).op('i64.gt_s').get(canFill).op('i32.and');
  code.get(isLong).op('i32.eqz', 'i32.and', 'select');
  return code.keep('i32');
}
