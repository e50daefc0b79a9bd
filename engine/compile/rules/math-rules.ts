/**
 * Rules of functions on numbers. What no instruction computes is called as JavaScript has it, so that
 * its last digit is that of the reference.
 */
import type { MathFunction } from '../../expr/function-name.ts';
import { argOf, type CallExpr, type CallRule, constantOf, kept } from './call-rule.ts';
import { constant128, subtract128 } from './int128.ts';
import { pushAs } from './number-forms.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import { failedWhere, formOf, partOf, type Value } from './value.ts';

export const mathRules: Readonly<Record<MathFunction, CallRule>> = {
  abs: (context, call) => signed(context, call, 'abs'),
  neg: (context, call) => signed(context, call, 'neg'),
  ceil: (context, call) => whole(context, call, 'f64.ceil'),
  floor: (context, call) => whole(context, call, 'f64.floor'),
  round: roundRule,
  sqrt: (context, call) => {
    const input = context.value(argOf(call, 0));
    pushAs(context.code, input, 'f64').op('f64.sqrt');
    return kept(context, call, { form: 'f64', inputs: [input] });
  },
  exp: (context, call) => hosted(context, call, 'exp'),
  ln: (context, call) => hosted(context, call, 'ln'),
  pow: (context, call) => hosted(context, call, 'pow'),
};

/** Calls JavaScript with float64 arguments. */
function hosted(context: RuleContext, call: CallExpr, name: 'exp' | 'ln' | 'pow'): Value {
  const { code } = context;
  const inputs = call.args.map((arg) => context.value(arg));
  const index = context.host(
    name,
    inputs.map(() => 'f64' as const),
    'f64',
  );
  for (const input of inputs) pushAs(code, input, 'f64');
  code.call(index);
  return kept(context, call, { form: 'f64', inputs });
}

/** Only the smallest integer has no opposite in its type. */
function signed(context: RuleContext, call: CallExpr, name: 'abs' | 'neg'): Value {
  const { code } = context;
  const { type } = call;
  const input = context.value(argOf(call, 0));
  const { valid, failed } = input;
  const form = formOf(type);
  if (form === 'f64') {
    code.get(partOf(input)).op(`f64.${name}`);
    return kept(context, call, { form, inputs: [input] });
  }
  if (form === 'view') throw new NoRule(`${name} of ${type.kind}`);
  if (form === 'i128') {
    const own = { low: partOf(input, 0), high: partOf(input, 1) };
    const opposite = subtract128(code, constant128(code, 0n), own);
    const parts = [own.low, own.high].map((part, index) => {
      if (name === 'neg') return index === 0 ? opposite.low : opposite.high;
      code.get(index === 0 ? opposite.low : opposite.high).get(part);
      return code.get(own.high).i64(0n).op('i64.lt_s', 'select').keep('i64');
    });
    return { type, form, parts, valid, failed };
  }
  const number = pushAs(code, input, form).keep(form);
  const constant = (value: bigint) => (form === 'i32' ? code.i32(Number(value)) : code.i64(value));
  constant(0n).get(number).op(`${form}.sub`);
  if (name === 'abs') {
    code.get(number).get(number);
    constant(0n).op(`${form}.lt_s`, 'select');
  }
  const parts = [code.keep(form)];
  code.get(number);
  constant(form === 'i32' ? -(2n ** 31n) : -(2n ** 63n)).op(`${form}.eq`);
  return { type, form, parts, valid, failed: failedWhere(code, [input], valid) };
}

/** Integers stay as they are. */
function whole(context: RuleContext, call: CallExpr, code: 'f64.ceil' | 'f64.floor'): Value {
  const input = context.value(argOf(call, 0));
  if (input.form === 'i32' || input.form === 'i64') return { ...input, type: call.type };
  if (input.form !== 'f64') throw new NoRule(`${call.function} of ${input.type.kind}`);
  context.code.get(partOf(input)).op(code);
  return kept(context, call, { form: 'f64', inputs: [input] });
}

/** From 2^52 on a float has no fraction. */
const wholeFrom = 2 ** 52;

/** Half away from zero: the same steps as the reference has. */
function roundRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const input = context.value(argOf(call, 0));
  if (input.form === 'i32' || input.form === 'i64') return { ...input, type: call.type };
  if (input.form !== 'f64') throw new NoRule(`round of ${input.type.kind}`);
  const number = partOf(input);
  const digits = call.args.length > 1 ? Number(constantOf(call, 1)) : 0;
  const factor = 10 ** digits;
  const scaled = code.get(number).op('f64.abs').f64(factor).op('f64.mul').keep('f64');
  const cut = code.get(scaled).op('f64.floor').keep('f64');
  code.get(cut).f64(1).op('f64.add').get(cut);
  code.get(scaled).get(cut).op('f64.sub').f64(0.5).op('f64.ge', 'select');
  code.f64(factor).op('f64.div').get(number).op('f64.copysign').get(number);
  code.get(scaled).f64(wholeFrom).op('f64.lt', 'select');
  if (call.type.kind === 'float32') code.op('f32.demote_f64', 'f64.promote_f32');
  return kept(context, call, { form: 'f64', inputs: [input] });
}
