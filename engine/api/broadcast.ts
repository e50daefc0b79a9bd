/**
 * Broadcast states of `process`: maps that all tasks hold alike, and a control stream changes. A declaration is data;
 * the types say what the functions of rows may call, and what those of control rows may.
 */
import type { BroadcastSpec } from '../plan/state-spec.ts';
import type { ValueChange } from '../plan/user-functions.ts';

/** A broadcast state as functions of rows see it. Values are frozen. */
export interface BroadcastView<K, V, KI> {
  /** The value of an entry; null when there is none. */
  get(key: KI): V | null;
  /** Whether there is an entry. */
  has(key: KI): boolean;
  /** In the order in which keys came. */
  entries(): readonly (readonly [K, V])[];
  /** The keys of all entries, in the same order. */
  keys(): K[];
  /** The values of all entries, in the same order. */
  values(): V[];
  readonly size: number;
}

/** The same as `onControl` sees it. */
export interface BroadcastStateOf<K, V, KI, VI> extends BroadcastView<K, V, KI> {
  /** Keeps a value under a key. */
  set(key: KI, value: VI): void;
  /** False when there is no such entry. */
  delete(key: KI): boolean;
  /** Forgets all entries. */
  clear(): void;
}

declare const viewType: unique symbol;
declare const writtenType: unique symbol;

/** A declared broadcast state: what functions of rows are given for it, and what `onControl` is. Made by `state`. */
export class BroadcastDeclaration<View, Written> {
  declare readonly [viewType]: View;
  declare readonly [writtenType]: Written;
  readonly spec: Omit<BroadcastSpec, 'name'>;
  readonly change: ValueChange;

  /** Made by `state` only. */
  constructor(spec: Omit<BroadcastSpec, 'name'>, change: ValueChange) {
    this.spec = spec;
    this.change = change;
    Object.freeze(this);
  }
}

/** What `onControl` is given for declared states: those that it may write. */
export type ControlledOf<S> = {
  readonly [Name in keyof S as S[Name] extends BroadcastDeclaration<unknown, unknown>
    ? Name
    : never]: S[Name] extends BroadcastDeclaration<unknown, infer Written> ? Written : never;
};
