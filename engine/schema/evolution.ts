/**
 * Evolution: whether values of an old type can be taken for values of a new one, and what becomes of them. Values do not
 * change but in form: nothing is rounded, cut or guessed; where that can't be, the user has to say how (a migration function).
 *
 *     int32                 int64, float64, …         widened: each value is one of the new type
 *     text                  text?                     may be null now
 *     struct<a>             struct<a, b?>             fields by their names: a new one is null, or its default
 *     struct<a, b>          struct<a>                 one that is gone is left out
 *     struct<amount>        struct<value>             the same under another name, where it is said
 *     list<T>               list<U>                   as its items
 *
 * Before: coordinator/compatibility/compare-states.ts. After: engine/state/value-change.ts, which changes values.
 */
import { type Field, type FieldType, isSameType, typeText } from './field-type.ts';

/** What a job says of a value that has changed; of its outermost struct. */
export interface DeclaredChanges {
  /** New name of a field → its old one. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Fields that have a default. */
  readonly defaulted?: readonly string[];
}

export type Evolution =
  | { readonly kind: 'same' }
  /** What is different, in words; each a phrase. */
  | { readonly kind: 'changed'; readonly steps: readonly string[] }
  /** Where, as `address.city`, empty for the value itself; and why, as a phrase. */
  | { readonly kind: 'incompatible'; readonly path: string; readonly reason: string };

type Nullable = Pick<Field, 'type' | 'nullable'>;

export function evolutionOf(
  old: Nullable,
  now: Nullable,
  declared: DeclaredChanges = {},
): Evolution {
  const steps: string[] = [];
  const problem = follow({ old, now, path: '', declared }, steps);
  if (problem !== null) return { kind: 'incompatible', ...problem };
  return steps.length === 0 ? { kind: 'same' } : { kind: 'changed', steps };
}

interface Place {
  readonly old: Nullable;
  readonly now: Nullable;
  readonly path: string;
  readonly declared: DeclaredChanges;
}

interface Problem {
  readonly path: string;
  readonly reason: string;
}

function follow({ old, now, path, declared }: Place, steps: string[]): Problem | null {
  const named = path === '' ? '' : `${path} `;
  if (old.nullable && !now.nullable)
    return { path, reason: 'it could be null and can not any more' };
  if (!old.nullable && now.nullable) steps.push(`${named}may be null`);
  const [from, to] = [old.type, now.type];
  if (from.kind === 'list' && to.kind === 'list') {
    return follow({ old: from.item, now: to.item, path: `${path}[]`, declared: {} }, steps);
  }
  if (from.kind === 'struct' && to.kind === 'struct') {
    return followFields({ path, declared, from: from.fields, to: to.fields }, steps);
  }
  if (isSameType(from, to)) return null;
  if (!isWidened(from, to)) return { path, reason: `${typeText(from)} is no ${typeText(to)}` };
  steps.push(`${named}widened from ${typeText(from)} to ${typeText(to)}`);
  return null;
}

interface Fields {
  readonly from: readonly Field[];
  readonly to: readonly Field[];
  readonly path: string;
  readonly declared: DeclaredChanges;
}

function followFields(fields: Fields, steps: string[]): Problem | null {
  const { from, to, path, declared } = fields;
  const places = to.map(({ name }) => oldFieldOf(name, from, declared));
  for (const [at, now] of to.entries()) {
    const old = places[at] ?? null;
    const below = belowOf(path, now.name);
    if (old === null) {
      const isDefault = declared.defaulted?.includes(now.name) === true;
      if (!isDefault && !now.nullable) {
        return { path: below, reason: 'it is new, and has neither a default nor null' };
      }
      steps.push(`${below} added${isDefault ? ' with its default' : ', null at first'}`);
      continue;
    }
    if (old.name !== now.name) steps.push(`${below} was ${old.name}`);
    const problem = follow({ old, now, path: below, declared: {} }, steps);
    if (problem !== null) return problem;
  }
  steps.push(...movedSteps(fields, places));
  return null;
}

/** Fields that are gone, and others in another order. */
function movedSteps({ from, path }: Fields, places: readonly (Field | null)[]): string[] {
  const gone = from.filter((old) => !places.includes(old));
  const kept = from.filter((old) => places.includes(old));
  const isMoved = places.filter((old) => old !== null).some((old, at) => old !== kept[at]);
  return [
    ...gone.map(({ name }) => `${belowOf(path, name)} left out`),
    ...(isMoved ? [`${path === '' ? 'fields' : `fields of ${path}`} in another order`] : []),
  ];
}

function belowOf(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** The field that a new one was: of the same name, or of the one that it is said to have had. */
export function oldFieldOf(
  name: string,
  old: readonly Field[],
  { renamed = {} }: DeclaredChanges,
): Field | null {
  const same = old.find((one) => one.name === name);
  if (same !== undefined) return same;
  const was = Object.hasOwn(renamed, name) ? renamed[name] : undefined;
  return old.find((one) => one.name === was) ?? null;
}

/** Whether a column of rows is read as another one, as it lies or with its numbers widened: lists and structs as they are. */
export function isAdaptable(old: Nullable, now: Nullable): boolean {
  if (old.nullable && !now.nullable) return false;
  const isDecimal = old.type.kind === 'decimal';
  return isSameType(old.type, now.type) || (!isDecimal && isWidened(old.type, now.type));
}

const signedBits: Readonly<Record<string, number>> = { int8: 8, int16: 16, int32: 32, int64: 64 };
const unsignedBits: Readonly<Record<string, number>> = { uint8: 8, uint16: 16, uint32: 32 };
/** Bits of the whole numbers that a float has all of. */
const exactBits: Readonly<Record<string, number>> = { float32: 24, float64: 53 };

/** Whether each value of the one is a value of the other. */
function isWidened(from: FieldType, to: FieldType): boolean {
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
  }
  if (from.kind === 'float32') return to.kind === 'float64';
  const signed = signedBits[from.kind];
  const bits = signed ?? unsignedBits[from.kind];
  if (bits === undefined) return false;
  const exact = exactBits[to.kind];
  if (exact !== undefined) return bits <= exact;
  const toUnsigned = unsignedBits[to.kind];
  if (toUnsigned !== undefined) return signed === undefined && bits <= toUnsigned;
  const toSigned = signedBits[to.kind];
  return toSigned !== undefined && (signed === undefined ? bits < toSigned : bits <= toSigned);
}
