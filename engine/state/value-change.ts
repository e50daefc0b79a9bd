/**
 * Value change: values of a state as a checkpoint has them, made values as the job declares them now. What is to be done is
 * decided beforehand (engine/plan/state-change.ts); here it is put together once, of functions that know their types.
 *
 * Before: engine/state/state-snapshot.ts. After: engine/state/entry-change.ts.
 */
import { stateChangeOf } from '../plan/state-change.ts';
import type { StateHistory } from '../plan/state-spec.ts';
import type { ValueChange } from '../plan/user-functions.ts';
import { type DeclaredChanges, oldFieldOf } from '../schema/evolution.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';

/** How to read an old value, and what to make of it; null: its bytes are those of a new one. */
export interface ChangedValues {
  readonly from: Field;
  readonly change: (old: unknown) => unknown;
}

/** What a value becomes that is not null. */
type Change = (value: unknown) => unknown;
type Nullable = Pick<Field, 'type' | 'nullable'>;

/**
 * @param old - Of the checkpoint.
 * @returns Null where nothing is to be done; a text where nothing can be done: why not.
 */
export function changedValues(
  old: Field,
  now: StateHistory & { readonly value: Field },
  given: ValueChange | undefined,
): ChangedValues | null | string {
  const found = stateChangeOf(old, now);
  switch (found.kind) {
    case 'same':
      return null;
    case 'incompatible':
      return found.path === '' ? found.reason : `${found.path}: ${found.reason}`;
    case 'migrated': {
      const { migratesFrom: from = old } = now;
      const migrate = given?.migrate ?? null;
      // The function may be given a null, where the type says so.
      return migrate === null ? 'there is no function' : { from, change: migrate };
    }
    case 'changed': {
      const change = changeOf(old, now.value, { ...now.declared, defaults: given?.defaults ?? {} });
      const from = { ...old, type: exactly(old.type) };
      return { from, change: (value) => (value === null ? null : change(value)) };
    }
  }
}

interface Declared extends DeclaredChanges {
  readonly defaults: Readonly<Record<string, unknown>>;
}

const nothingDeclared: Declared = { defaults: {} };
const asItIs: Change = (value) => value;

function changeOf(old: Nullable, now: Nullable, declared: Declared = nothingDeclared): Change {
  const [from, to] = [old.type, now.type];
  if (from.kind === 'list' && to.kind === 'list') {
    const item = changeOf(from.item, to.item);
    return (items) => (items as unknown[]).map((one) => (one === null ? null : item(one)));
  }
  if (from.kind === 'struct' && to.kind === 'struct') {
    return structChange(from.fields, to.fields, declared);
  }
  // Numbers are read as numbers or bigints, dates and decimals as texts: the wider type takes them as they are.
  return asItIs;
}

function structChange(from: readonly Field[], to: readonly Field[], declared: Declared): Change {
  const parts = to.map((now) => {
    const old = oldFieldOf(now.name, from, declared);
    const initial = Object.hasOwn(declared.defaults, now.name) ? declared.defaults[now.name] : null;
    const change = old === null ? asItIs : changeOf(old, now);
    return { name: now.name, oldName: old?.name ?? null, initial, change };
  });
  return (value) => {
    const fields = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      parts.map(({ name, oldName, initial, change }) => {
        if (oldName === null) return [name, initial];
        const part = fields[oldName] ?? null;
        return [name, part === null ? null : change(part)];
      }),
    );
  };
}

/** The type with all int64 as bigints, whatever functions of the job read: none is lost on the way. */
function exactly(type: FieldType): FieldType {
  switch (type.kind) {
    case 'int64':
      return { ...type, js: 'bigint' };
    case 'list':
      return { ...type, item: { ...type.item, type: exactly(type.item.type) } };
    case 'struct':
      return {
        ...type,
        fields: type.fields.map((field) => ({ ...field, type: exactly(field.type) })),
      };
    default:
      return type;
  }
}
