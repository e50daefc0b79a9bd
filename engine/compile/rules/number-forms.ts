/** Numbers brought from one form to another: int to int64 to float64, as SQL widens them. */
import type { FieldType } from '../../schema/field-type.ts';
import type { CodeBuilder } from '../wasm/code-builder.ts';
import { NoRule } from './rule-context.ts';
import { type Form, formOf, partOf, type Value } from './value.ts';

/** A number on the stack, in a form that holds all of its values (or the nearest float64). */
export function pushAs(code: CodeBuilder, value: Value, form: 'i32' | 'i64' | 'f64'): CodeBuilder {
  code.get(partOf(value));
  if (value.form === form) return code;
  const change = conversions[`${value.form}>${form}`];
  if (change === undefined) throw new NoRule(`${value.type.kind} as a number`);
  return code.op(change);
}

const conversions: Record<string, 'i64.extend_i32_s' | 'f64.convert_i32_s' | 'f64.convert_i64_s'> =
  {
    'i32>i64': 'i64.extend_i32_s',
    'i32>f64': 'f64.convert_i32_s',
    'i64>f64': 'f64.convert_i64_s',
  };

/** The form in which values of two types compare: that of their common type. */
export function commonForm(left: FieldType, right: FieldType): Form {
  const forms = [formOf(left), formOf(right)];
  if (forms[0] === forms[1]) return formOf(left);
  return (['f64', 'i128'] as const).find((form) => forms.includes(form)) ?? 'i64';
}
