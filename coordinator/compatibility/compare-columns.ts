/**
 * Rows that joins and patterns keep as they came: their columns are found by name when they are read back. A column that is
 * not among them is null, where it may be; one that nobody uses any more is left out.
 *
 * Before: coordinator/compatibility/compare-operators.ts. After: engine/operators/adapted-rows.ts, which reads them so.
 */
import { isAdaptable } from '../../engine/schema/evolution.ts';
import { typeText } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { OperatorDescription } from '../checkpoint/checkpoint-manifest.ts';

/** What is different, as phrases; a text where rows can't be read so: why. */
export function columnsChange(
  old: readonly OperatorDescription[],
  now: readonly OperatorDescription[],
): string[] | string {
  const steps: string[] = [];
  for (const { operatorId, kind, columns = {} } of old) {
    const other = now.find((one) => one.operatorId === operatorId && one.kind === kind);
    for (const [part, fields] of Object.entries(columns)) {
      const wanted = other?.columns?.[part];
      if (wanted === undefined) continue;
      const found = partChange(fields, wanted);
      if (typeof found === 'string') return `${part}: ${found}`;
      steps.push(...found.map((step) => `${part}: ${step}`));
    }
  }
  return steps;
}

function partChange(old: readonly Field[], now: readonly Field[]): string[] | string {
  const steps: string[] = [];
  for (const field of now) {
    const was = old.find(({ name }) => name === field.name);
    if (was === undefined) {
      if (!field.nullable) return `column "${field.name}" is new, and can not be null`;
      steps.push(`column "${field.name}" added, null at first`);
      continue;
    }
    const change = columnChange(was, field);
    if (typeof change === 'string') return change;
    steps.push(...change);
  }
  const gone = old.filter(({ name }) => !now.some((one) => one.name === name));
  return [...steps, ...gone.map(({ name }) => `column "${name}" left out`)];
}

function columnChange(was: Field, now: Field): string[] | string {
  const types = `${typeText(was.type)}${was.nullable ? '?' : ''} and is ${typeText(now.type)}${now.nullable ? '?' : ''}`;
  if (!isAdaptable(was, now)) return `column "${now.name}" was ${types}`;
  const isSame = typeText(was.type) === typeText(now.type) && was.nullable === now.nullable;
  return isSame ? [] : [`column "${now.name}" was ${types}`];
}
