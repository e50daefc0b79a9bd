/**
 * State change: what becomes of the values of a state whose declaration is not the one of the checkpoint. Asked before the job
 * starts, by the coordinator, and where values are read, by the operator: both get the same answer.
 *
 *     the same type                          the bytes stay
 *     the type that a migration is from      the job's function makes new values
 *     a type that the new one follows from   fields by their names, wider numbers (engine/schema/evolution.ts)
 *     else                                   refused: a migration is to be written
 */
import { type Evolution, evolutionOf } from '../schema/evolution.ts';
import { isSameType } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import type { StateHistory, StateKind } from './state-spec.ts';

export type StateChange =
  | Evolution
  /** A function of the job takes values of the old type. */
  | { readonly kind: 'migrated' };

/** @param old - Of the checkpoint. */
export function stateChangeOf(
  old: Pick<Field, 'type' | 'nullable'>,
  { value, declared, migratesFrom }: StateHistory & { readonly value: Field },
): StateChange {
  const evolution = evolutionOf(old, value, declared);
  if (evolution.kind === 'same' || migratesFrom === undefined) return evolution;
  const isFrom = migratesFrom.nullable === old.nullable && isSameType(migratesFrom.type, old.type);
  return isFrom ? { kind: 'migrated' } : evolution;
}

/** Kinds whose entries lie alike: one value for a key. */
const singles: ReadonlySet<string> = new Set<StateKind>(['value', 'reducing', 'aggregating']);

/** Whether entries of a state of one kind are those of the other. */
export function areKindsAlike(old: string, now: string): boolean {
  return old === now || (singles.has(old) && singles.has(now));
}

/** The state of a checkpoint that a state goes on from: of its name, or of the one that it is said to have had. */
export function oldStateOf<S extends { readonly name: string }>(
  { name, was }: { readonly name: string } & StateHistory,
  old: readonly S[],
): S | null {
  return old.find((one) => one.name === name) ?? old.find((one) => one.name === was) ?? null;
}
