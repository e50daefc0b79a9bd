/**
 * Rules of functions that ask about texts, or answer a part of one: no byte is copied. Their kernels
 * are called only where the value is asked for.
 */

import type { TextFunction } from '../../expr/function-name.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { Local } from '../wasm/code-builder.ts';
import { argOf, type CallExpr, type CallRule, constantOf } from './call-rule.ts';
import type { RuleContext } from './rule-context.ts';
import { bytesOf, ifAsked, ifTrue, lengthOf } from './text-value.ts';
import { allValid, anyFailed, partOf, type Value } from './value.ts';

export const textRules: Readonly<Partial<Record<TextFunction, CallRule>>> = {
  length: lengthRule,
  contains: (context, call) => {
    const [text, part] = textsOf(context, call);
    return computed(context, call, [text, part], (result) => {
      pushKernel(context, 'findText', [text, part]).i32(0).op('i32.ge_s').set(result);
    });
  },
  startsWith: (context, call) => {
    const [text, part] = textsOf(context, call);
    return computed(context, call, [text, part], (result) => {
      pushKernel(context, 'startsWithText', [text, part]).set(result);
    });
  },
  endsWith: (context, call) => {
    const [text, part] = textsOf(context, call);
    return computed(context, call, [text, part], (result) => {
      pushKernel(context, 'endsWithText', [text, part]).set(result);
    });
  },
  indexOf: indexOfRule,
  like: likeRule,
  substring: substringRule,
  trim: (context, call) => trimmed(context, call, { atStart: true, atEnd: true }),
  trimStart: (context, call) => trimmed(context, call, { atStart: true, atEnd: false }),
  trimEnd: (context, call) => trimmed(context, call, { atStart: false, atEnd: true }),
};

function textsOf(context: RuleContext, call: CallExpr): [Value, Value] {
  return [context.value(argOf(call, 0)), context.value(argOf(call, 1))];
}

/** Pushes the answer of a kernel that takes texts, as address and length, and numbers behind them. */
function pushKernel(
  context: RuleContext,
  name: keyof Kernels,
  texts: readonly Value[],
  numbers: readonly Local[] = [],
) {
  const { code } = context;
  const locals = texts.flatMap((text) => [bytesOf(context, text), lengthOf(context, text)]);
  const all = [...locals, ...numbers];
  const index = context.kernel(
    name,
    all.map(({ type }) => type),
    'i32',
  );
  for (const local of all) code.get(local);
  return code.call(index);
}

/** An i32 that `compute` sets, run only where the result is asked for and no input is null. */
function computed(
  context: RuleContext,
  { type }: CallExpr,
  inputs: readonly Value[],
  compute: (result: Local) => void,
): Value {
  const { code } = context;
  const valid = allValid(code, inputs);
  const failed = anyFailed(code, inputs);
  const result = code.local('i32');
  ifAsked(context, { valid, failed }, () => compute(result));
  return { type, form: 'i32', parts: [result], valid, failed };
}

/** Code points of a text, bytes of a binary, items of a list: the count in front of its bytes. */
function lengthRule(context: RuleContext, call: CallExpr): Value {
  const text = context.value(argOf(call, 0));
  if (text.type.kind === 'list') {
    const { valid, failed } = text;
    const count = context.code.get(bytesOf(context, text)).at('i32.load').keep('i32');
    return { type: call.type, form: 'i32', parts: [count], valid, failed };
  }
  if (text.type.kind === 'binary') {
    const { valid, failed } = text;
    return { type: call.type, form: 'i32', parts: [lengthOf(context, text)], valid, failed };
  }
  return computed(context, call, [text], (result) => {
    pushKernel(context, 'textLength', [text]).set(result);
  });
}

function indexOfRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const [text, part] = textsOf(context, call);
  return computed(context, call, [text, part], (result) => {
    pushKernel(context, 'findText', [text, part]).set(result);
    // The place in bytes, as one in code points.
    const isBehind = code.get(result).i32(0).op('i32.gt_s').keep('i32');
    ifTrue(context, isBehind, () => {
      const textLength = context.kernel('textLength', ['i32', 'i32'], 'i32');
      code.get(bytesOf(context, text)).get(result).call(textLength).set(result);
    });
  });
}

/** The patterns that people write most are searches, and cheaper as such. */
function likeRule(context: RuleContext, call: CallExpr): Value {
  const pattern = String(constantOf(call, 1));
  const [, before = '', plain = '', after = ''] = /^(%?)([^%_\\]*)(%?)$/s.exec(pattern) ?? [];
  const text = context.value(argOf(call, 0));
  const isPlain = before + plain + after === pattern;
  const patternValue = context.value(argOf(call, 1));
  const part = isPlain ? insideOf(context, patternValue, { before, plain }) : patternValue;
  const kernel = isPlain ? plainKernels[`${before},${after}`] : undefined;
  return computed(context, call, [text], (result) => {
    pushKernel(context, kernel ?? 'likeText', [text, part]).set(result);
    if (kernel === 'findText') context.code.get(result).i32(0).op('i32.ge_s').set(result);
  });
}

const encoder = new TextEncoder();

/** The text of a pattern without the wildcards around it. */
function insideOf(
  context: RuleContext,
  pattern: Value,
  { before, plain }: { before: string; plain: string },
): Value {
  const { code } = context;
  const length = code.i32(encoder.encode(plain).length).keep('i32');
  code.get(bytesOf(context, pattern)).i32(before.length).op('i32.add');
  return { ...pattern, form: 'bytes', parts: [length, code.keep('i32')] };
}

/** By the wildcards around a plain text. */
const plainKernels: Readonly<Record<string, keyof Kernels>> = {
  '%,%': 'findText',
  ',%': 'startsWithText',
  '%,': 'endsWithText',
};

/** Places below 0 are 0, those beyond the end the end. */
function substringRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const text = context.value(argOf(call, 0));
  const inputs = [text, context.value(argOf(call, 1)), context.value(argOf(call, 2))];
  const places = inputs.slice(1).map((place) => {
    const number = partOf(place);
    if (number.type === 'i32') {
      code.i32(0).get(number).get(number).i32(0).op('i32.lt_s', 'select');
      return code.keep('i32');
    }
    const placeMax = 0x7fff_ffffn;
    code.i64(0n).get(number).get(number).i64(0n).op('i64.lt_s', 'select');
    const positive = code.keep('i64');
    code.i64(placeMax).get(positive).get(positive).i64(placeMax).op('i64.gt_s', 'select');
    return code.op('i32.wrap_i64').keep('i32');
  });
  return part(context, call, inputs, (start, end) => {
    for (const [index, offset] of [start, end].entries()) {
      pushKernel(context, 'textOffset', [text], places.slice(index, index + 1)).set(offset);
    }
    code.get(end).get(start).get(end).get(start).op('i32.gt_u', 'select').set(end);
  });
}

function trimmed(
  context: RuleContext,
  call: CallExpr,
  { atStart, atEnd }: { atStart: boolean; atEnd: boolean },
): Value {
  const { code } = context;
  const text = context.value(argOf(call, 0));
  return part(context, call, [text], (start, end) => {
    if (atStart) pushKernel(context, 'spacesAtStart', [text]).set(start);
    code.get(lengthOf(context, text)).set(end);
    if (!atEnd) return;
    code.get(end);
    // White space all over is at the start already.
    pushKernel(context, 'spacesAtEnd', [text]).op('i32.sub').set(end);
    code.get(start).get(end).get(start).get(end).op('i32.gt_u', 'select').set(end);
  });
}

/** The bytes of a text from `start` to `end`, which `compute` sets. */
function part(
  context: RuleContext,
  { type }: CallExpr,
  inputs: readonly Value[],
  compute: (start: Local, end: Local) => void,
): Value {
  const { code } = context;
  const [text] = inputs as [Value];
  const valid = allValid(code, inputs);
  const failed = anyFailed(code, inputs);
  const [start, end] = [code.local('i32'), code.local('i32')];
  code.i32(0).set(start).i32(0).set(end);
  ifAsked(context, { valid, failed }, () => compute(start, end));
  const length = code.get(end).get(start).op('i32.sub').keep('i32');
  const address = code.get(bytesOf(context, text)).get(start).op('i32.add').keep('i32');
  return { type, form: 'bytes', parts: [length, address], valid, failed };
}
