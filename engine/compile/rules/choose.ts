/**
 * Choosing between values, as `when` and `coalesce` do, without a branch: both are there, one is
 * taken. What costs much has been computed only where it is chosen (`RuleContext.under`).
 */
import type { FieldType } from '../../schema/field-type.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import { asDecimal } from './decimal-rule.ts';
import { pushAs } from './number-forms.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import { bytesOf, lengthOf } from './text-value.ts';
import { type Form, formOf, isNumberForm, type Value } from './value.ts';

/** The value as one of `type`, which is its own or a wider number. */
export function converted(context: RuleContext, value: Value, type: FieldType): Value {
  const { code } = context;
  const form = formOf(type);
  if (form === 'i128') {
    const { low, high } = asDecimal(code, value, type);
    return { ...value, type, form, parts: [low, high] };
  }
  if (form === value.form || (form === 'view' && value.form === 'bytes')) return { ...value, type };
  if (!isNumberForm(form) || !isNumberForm(value.form)) {
    throw new NoRule(`${value.type.kind} as ${type.kind}`);
  }
  return { ...value, type, form, parts: [pushAs(code, value, form).keep(form)] };
}

/** Null of a type. */
export function nullOf(context: RuleContext, type: FieldType): Value {
  const zero = (name: string, form: 'i32' | 'i64' | 'f64') =>
    context.remember(`zero ${name}`, () => context.code.local(form));
  // Locals that nothing sets are 0; a view at 0 is one of zeroes.
  const form = formOf(type);
  const parts =
    form === 'i128'
      ? [zero('i64', 'i64'), zero('i64', 'i64')]
      : [form === 'view' ? zero('i32', 'i32') : zero(form, form)];
  return { type, form, parts, valid: zero('i32', 'i32'), failed: null };
}

/** `yes` where the condition is 1, else `no`; both are of the type of `yes`. */
export function choose(context: RuleContext, condition: Local, yes: Value, no: Value): Value {
  const { code } = context;
  const form = yes.form === no.form ? yes.form : 'bytes';
  const [yesParts, noParts] = [yes, no].map((value) => partsAs(context, value, form));
  const parts = (yesParts ?? []).map((part, index) =>
    code
      .get(part)
      .get(noParts?.[index] ?? part)
      .get(condition)
      .op('select')
      .keep(part.type),
  );
  return {
    type: yes.type,
    form,
    parts,
    valid: chooseFlag(code, condition, { yes: yes.valid, no: no.valid, absent: 1 }),
    failed: chooseFlag(code, condition, { yes: yes.failed, no: no.failed, absent: 0 }),
  };
}

interface Flags {
  readonly yes: Local | null;
  readonly no: Local | null;
  /** What a flag that is null means. */
  readonly absent: 0 | 1;
}

function chooseFlag(code: CodeBuilder, condition: Local, { yes, no, absent }: Flags): Local | null {
  if (yes === no) return yes;
  for (const flag of [yes, no]) {
    if (flag === null) code.i32(absent);
    else code.get(flag);
  }
  return code.get(condition).op('select').keep('i32');
}

function partsAs(context: RuleContext, value: Value, form: Form): readonly Local[] {
  if (value.form === form) return value.parts;
  return [lengthOf(context, value), bytesOf(context, value)];
}
