/**
 * Entry change: entries of a state whose values have another type now, while they are read from a snapshot. What lists
 * entries (how many there are, the keys of a map) stays as it is.
 *
 *     value      key                 the whole value
 *     list       key, place          an item; without a place: how many there are
 *     map        key, bytes, tag     its place (4 bytes), then the value
 *
 * Before: engine/state/entry-rows.ts. After: engine/state/value-codec.ts.
 */
import type { DecoderInputs } from '../batch/nested-decode.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { StateKind } from '../plan/state-spec.ts';
import type { Field } from '../schema/schema.ts';
import { entryTag, indexBytes, placeBytes } from './entry-layout.ts';
import type { ChangedValues } from './value-change.ts';
import { type ValueCodec, valueCodecOf } from './value-codec.ts';

export interface EntryChangeOptions {
  readonly memory: SlotMemory;
  readonly kind: StateKind;
  readonly values: ChangedValues;
  /** Of values as they are now, under the name of the state. */
  readonly now: Field;
  readonly notSafe: DecoderInputs['notSafe'];
}

export class EntryChange {
  readonly #memory: SlotMemory;
  readonly #kind: StateKind;
  readonly #change: ChangedValues['change'];
  readonly #old: ValueCodec;
  readonly #now: ValueCodec;
  #place = 0;

  constructor({ memory, kind, values, now, notSafe }: EntryChangeOptions) {
    this.#memory = memory;
    this.#kind = kind;
    this.#change = values.change;
    this.#old = valueCodecOf({ ...values.from, name: now.name }, memory, notSafe);
    this.#now = valueCodecOf(now, memory, notSafe);
  }

  /** Whether the entry has a value, by its sub key: else it says how others lie, and stays. */
  isOfValue(subKey: number, subSize: number): boolean {
    switch (this.#kind) {
      case 'list':
        return subSize === indexBytes;
      case 'map':
        return subSize > 0 && this.#memory.bytes[subKey + subSize - 1] === entryTag;
      default:
        return true;
    }
  }

  /** Makes a new value of the one at an address; answers its bytes. @throws VALUE_…, and what functions throw */
  make(from: number, sizeBytes: number): number {
    const prefix = this.#prefix;
    if (prefix > 0) this.#place = this.#memory.view.getUint32(from, true);
    const old = this.#old.read(from + prefix, sizeBytes - prefix);
    return prefix + this.#now.encode(this.#change(old));
  }

  /** Writes the value that was made last. */
  write(to: number): void {
    const prefix = this.#prefix;
    if (prefix > 0) this.#memory.view.setUint32(to, this.#place, true);
    this.#now.write(to + prefix);
  }

  get #prefix(): number {
    return this.#kind === 'map' ? placeBytes : 0;
  }
}
