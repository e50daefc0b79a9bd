/** Parts of a text's value, loaded when they are first needed. */
import type { Local } from '../wasm/code-builder.ts';
import type { RuleContext } from './rule-context.ts';
import { partOf, type Value } from './value.ts';

/** Texts of up to this many bytes lie in the view. */
export const inlineSize = 8;

/** The length in bytes. */
export function lengthOf(context: RuleContext, text: Value): Local {
  if (text.form === 'bytes') return partOf(text, 0);
  const { code } = context;
  const view = partOf(text);
  return context.remember(`length ${view.index}`, () => code.get(view).at('i32.load').keep('i32'));
}

/** The address of the bytes. */
export function bytesOf(context: RuleContext, text: Value): Local {
  if (text.form === 'bytes') return partOf(text, 1);
  const { code } = context;
  const view = partOf(text);
  const length = lengthOf(context, text);
  return context.remember(`bytes ${view.index}`, () =>
    code
      .get(view)
      .at('i32.load', 4)
      .get(view)
      .i32(inlineSize)
      .op('i32.add')
      .get(length)
      .i32(inlineSize)
      .op('i32.gt_u', 'select')
      .keep('i32'),
  );
}

/** The first 8 bytes as a little-endian i64, zeroes behind a shorter text. */
export function prefixOf(context: RuleContext, text: Value): Local {
  const { code } = context;
  if (text.form === 'view') {
    const view = partOf(text);
    return context.remember(`prefix ${view.index}`, () =>
      code.get(view).at('i64.load', 8).keep('i64'),
    );
  }
  const [length, address] = [partOf(text, 0), partOf(text, 1)];
  return context.remember(`prefix ${address.index} ${length.index}`, () => {
    // Shifts count modulo 64: of an empty text nothing may be left, hence the select.
    code.get(address).at('i64.load');
    code
      .i64(-1n)
      .i64(64n)
      .get(length)
      .op('i64.extend_i32_u')
      .i64(3n)
      .op('i64.shl', 'i64.sub', 'i64.shr_u');
    code.i64(-1n).get(length).i32(inlineSize).op('i32.lt_u', 'select', 'i64.and');
    code.i64(0n).get(length).op('select');
    return code.keep('i64');
  });
}

/** Emits what is done only for rows whose value is asked for, there and not failed. */
export function ifAsked(
  context: RuleContext,
  { valid, failed }: Pick<Value, 'valid' | 'failed'>,
  emit: () => void,
): void {
  const { code } = context;
  const flags = [context.active, valid].filter((flag) => flag !== null);
  if (flags.length === 0 && failed === null) {
    emit();
    return;
  }
  code.i32(1);
  for (const flag of flags) code.get(flag).op('i32.and');
  if (failed !== null) code.get(failed).op('i32.eqz', 'i32.and');
  ifTrue(context, code.keep('i32'), emit);
}

/** Emits what is done only where a condition is 1; what it loads is not known outside. */
export function ifTrue(context: RuleContext, condition: Local, emit: () => void): void {
  context.under(condition, () => context.code.get(condition).if(emit));
}
