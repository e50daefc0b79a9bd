/**
 * What a job says of a state that was declared in another way when a checkpoint was taken: its old name, old names of
 * fields, defaults of new ones, or a function that makes new values of old ones.
 */
import { typedError } from '../../base/typed-error.ts';
import type { StateHistory } from '../plan/state-spec.ts';
import type { ValueChange } from '../plan/user-functions.ts';
import type { PairType } from './map-reduce.ts';
import { describe, type InputOf, type ValueOf } from './row.ts';
import { type ColumnsOf, fieldOfType, ValueType } from './value-type.ts';

type One<T> = ColumnsOf<{ readonly value: T }>['value'];
/** The fields of a struct; other values have none. */
type FieldsOf<V> = V extends readonly unknown[] | ArrayBufferView | Date
  ? never
  : V extends object
    ? V
    : never;

/** How values of an old type become values of a new one; called in the tasks, once for each value. */
export interface Migration<T, M> {
  /** The type that the state had. */
  readonly from: M;
  /** Makes a new value of an old one. */
  readonly with: (old: ValueOf<One<M>>) => InputOf<One<T>>;
}

/** How a state is found again in a checkpoint where it was declared in another way; M is the type that it had there. */
export interface StateChanges<T, M> {
  /** The name that the state had. @defaultValue the same */
  readonly was?: string;
  /** Names that fields of its values had: new name → old name. @defaultValue the same */
  readonly renamed?: { readonly [Name in keyof FieldsOf<InputOf<One<T>>>]?: string };
  /** Values of fields that values did not have. @defaultValue null, where a field may be null */
  readonly defaults?: {
    readonly [Name in keyof FieldsOf<InputOf<One<T>>>]?: FieldsOf<InputOf<One<T>>>[Name];
  };
  /** Called where the type is another one, and the above does not say all. @defaultValue such a checkpoint is refused */
  readonly migrate?: Migration<T, M>;
}

export interface ReadChanges {
  readonly history: StateHistory;
  readonly change: ValueChange;
}

/** @throws JOB_ARGUMENT_INVALID */
export function changesIn(given: StateChanges<PairType, PairType>): ReadChanges {
  check(given);
  const { was, renamed, defaults = {}, migrate } = given;
  const defaulted = Object.keys(defaults);
  const declared = {
    ...(renamed !== undefined && { renamed: renamed as Readonly<Record<string, string>> }),
    ...(defaulted.length > 0 && { defaulted }),
  };
  return {
    history: {
      ...(was !== undefined && { was }),
      ...(Object.keys(declared).length > 0 && { declared }),
      ...(migrate !== undefined && { migratesFrom: fieldOfType('value', migrate.from) }),
    },
    change: {
      defaults: defaults as Readonly<Record<string, unknown>>,
      migrate: (migrate?.with ?? null) as ValueChange['migrate'],
    },
  };
}

function check({ was, renamed, defaults, migrate }: StateChanges<PairType, PairType>): void {
  if (was !== undefined && typeof was !== 'string') throw invalid('was', was, "was: 'totals'");
  for (const [name, old] of Object.entries(renamed ?? {})) {
    if (typeof old === 'string') continue;
    throw invalid(`renamed.${name}`, old, "renamed: { amount: 'value' }");
  }
  if (defaults !== undefined && (typeof defaults !== 'object' || defaults === null)) {
    throw invalid('defaults', defaults, 'defaults: { count: 0n }');
  }
  if (migrate === undefined) return;
  if (migrate?.from instanceof ValueType && typeof migrate.with === 'function') return;
  throw invalid('migrate', migrate, 'migrate: { from: t.int64(), with: (old) => ({ sum: old }) }');
}

function invalid(what: string, given: unknown, example: string) {
  return typedError('JOB_ARGUMENT_INVALID', `${what} of a state is ${describe(given)}`, {
    hint: `Write ${example}.`,
  });
}
