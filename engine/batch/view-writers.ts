/** Writers of what is behind views: texts, bytes, lists and structs. */
import type { BlockHandle, MemoryScope } from '../memory/slot-memory.ts';
import type { Field } from '../schema/schema.ts';
import { ColumnWriter } from './column-writer.ts';
import { type EncodeNested, NestedBuffer, nestedEncoderOf } from './nested-encode.ts';
import { TextArena } from './text-arena.ts';
import { clearView, utf8ViewSize } from './utf8-view.ts';
import { checkedBytes, checkedText } from './value-checks.ts';

/** A writer whose bytes lie in an arena of its own. */
abstract class ViewWriter extends ColumnWriter {
  protected readonly arena: TextArena;

  constructor(scope: MemoryScope, field: Field) {
    super(scope, field);
    this.arena = new TextArena(scope);
  }

  override get textBytes(): number {
    return this.arena.usedBytes;
  }

  protected writeNull(row: number): void {
    clearView(this.scope.memory, this.values + row * utf8ViewSize);
  }

  protected override addBlocks(to: BlockHandle[]): void {
    super.addBlocks(to);
    for (const block of this.arena.blocks) to.push(block);
  }

  protected override forget(): void {
    this.arena.forget();
  }
}

export class Utf8Writer extends ViewWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    const text = checkedText(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.arena.writeText(this.values + row * utf8ViewSize, text);
    if (this.validity !== 0) this.setValid(row);
  }
}

export class BinaryWriter extends ViewWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    const bytes = checkedBytes(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.arena.writeBytes(this.values + row * utf8ViewSize, bytes);
    if (this.validity !== 0) this.setValid(row);
  }
}

/** Of lists and structs, encoded. */
export class NestedWriter extends ViewWriter {
  readonly #encode: EncodeNested;
  readonly #buffer = new NestedBuffer();

  constructor(scope: MemoryScope, field: Field) {
    super(scope, field);
    this.#encode = nestedEncoderOf(field);
  }

  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    this.#buffer.clear();
    this.#encode(this.#buffer, value);
    if (row >= this.capacity) this.grow(row);
    this.arena.writeBytes(this.values + row * utf8ViewSize, this.#buffer.written);
    if (this.validity !== 0) this.setValid(row);
  }
}
