/**
 * Values of a row in a compiled expression: locals that hold what a node of the tree is.
 *
 *     form    locals           types
 *     i32     one              bool (0, 1), int8, int16, int32, uint8, uint16, date
 *     i64     one              int64, uint32, timestamp
 *     f64     one              float64, float32
 *     i128    low, high        decimal
 *     view    address          utf8, binary, list, struct: a view as columns have them
 *     bytes   length, address  utf8, binary: bytes without a view, such as a part of another text
 *
 * `valid` is 0 where the value is null, `failed` is 1 where it could not be computed; both are null
 * where that cannot be. A value that is null or failed may be anything. A failed value is not null.
 */
import { assertNever } from '../../../base/assert.ts';
import type { FieldType } from '../../schema/field-type.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import type { ValueType } from '../wasm/instructions.ts';

export type Form = 'i32' | 'i64' | 'f64' | 'i128' | 'view' | 'bytes';

export interface Value {
  readonly type: FieldType;
  readonly form: Form;
  readonly parts: readonly Local[];
  readonly valid: Local | null;
  readonly failed: Local | null;
}

/** The form in which columns of a type are read, and results are written. */
export function formOf(type: FieldType): Exclude<Form, 'bytes'> {
  switch (type.kind) {
    case 'bool':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'date':
      return 'i32';
    case 'uint32':
    case 'int64':
    case 'timestamp':
      return 'i64';
    case 'float32':
    case 'float64':
      return 'f64';
    case 'decimal':
      return 'i128';
    case 'utf8':
    case 'binary':
    case 'list':
    case 'struct':
      return 'view';
    default:
      return assertNever(type);
  }
}

/** Whether a value of the form is one number in one local. */
export function isNumberForm(form: Form): form is ValueType {
  return form === 'i32' || form === 'i64' || form === 'f64';
}

/** The local of a value that has one. */
export function partOf({ parts }: Value, index = 0): Local {
  const part = parts[index];
  if (part === undefined) throw new Error('assertion failed: the value has this part');
  return part;
}

/** Whether all of the values are there. */
export function allValid(code: CodeBuilder, values: readonly Value[]): Local | null {
  return joined(
    code,
    'i32.and',
    values.map(({ valid }) => valid),
  );
}

/** Whether one of the values failed. */
export function anyFailed(code: CodeBuilder, values: readonly Value[]): Local | null {
  return joined(
    code,
    'i32.or',
    values.map(({ failed }) => failed),
  );
}

function joined(
  code: CodeBuilder,
  operation: 'i32.and' | 'i32.or',
  flags: readonly (Local | null)[],
): Local | null {
  const present = [...new Set(flags.filter((flag) => flag !== null))];
  const [first, ...others] = present;
  if (first === undefined) return null;
  if (others.length === 0) return first;
  code.get(first);
  for (const flag of others) code.get(flag).op(operation);
  return code.keep('i32');
}

/**
 * The flag of a value that fails by itself, from the i32 on the stack (not 0: it does), or because
 * an input failed. A null does not fail.
 */
export function failedWhere(
  code: CodeBuilder,
  inputs: readonly Value[],
  valid: Local | null,
): Local {
  if (valid !== null) code.get(valid).op('i32.and');
  const inherited = anyFailed(code, inputs);
  if (inherited !== null) code.get(inherited).op('i32.or');
  return code.keep('i32');
}
