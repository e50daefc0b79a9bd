/**
 * A program linked to a slot's memory, and the frame through which it is called. The frame is made at
 * the first batch: literals are written once, places of columns and outputs for each batch.
 */
import { assert } from '../../../base/assert.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { TextArena } from '../../batch/text-arena.ts';
import { literalValueOf } from '../../expr/evaluator.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { formOf } from '../rules/value.ts';
import { type ExprProgram, moduleOf } from './expr-program.ts';
import { type FrameBuilder, frameLayout, type Literal } from './frame.ts';
import { hostFunctions } from './host-functions.ts';
import { TextRoom } from './text-room.ts';

/** Addresses of an output; `validity` is not read where the program writes none. */
export interface OutputPlace {
  readonly values: number;
  readonly validity: number;
}

export interface ProgramResult {
  /** The place in the batch of the first row that has an error, or -1. */
  readonly failedIndex: number;
  /** Of a filter. */
  readonly selectedCount: number;
  /** Where the bytes of texts are that the outputs point to: a reference each, the caller's. */
  readonly textBlocks: readonly BlockHandle[];
}

type Run = (frame: number) => number;

/** A bitmap that says that all rows of a batch are there. */
const allValidBytes = bitmapSizeOf(batchRowsMax);

export class LinkedProgram {
  readonly program: ExprProgram;
  readonly #scope: MemoryScope;
  /** Long texts of literals. */
  readonly #texts: TextArena;
  readonly #room: TextRoom;
  readonly #all: Run;
  readonly #selected: Run;
  #frame: BlockHandle = 0;
  /** Of the batch before, and where it has the program's columns. */
  #schema: Schema | null = null;
  #indexes: readonly number[] = [];

  constructor(program: ExprProgram, scope: MemoryScope, kernels: Kernels) {
    this.program = program;
    this.#scope = scope;
    this.#texts = new TextArena(scope);
    this.#room = new TextRoom(scope);
    const { memory } = scope;
    const host = hostFunctions(memory);
    const imports = { env: { memory: memory.memory }, kernels: { ...kernels }, host };
    const { exports } = new WebAssembly.Instance(moduleOf(program), imports);
    this.#all = exports.all as Run;
    this.#selected = exports.selected as Run;
  }

  /** @throws MEMORY_EXHAUSTED; nothing is kept then. */
  run(batch: Batch, outputs: readonly OutputPlace[]): ProgramResult {
    if (this.#frame === 0) this.#newFrame();
    this.#fill(batch, outputs);
    const frame = addressOf(this.#frame);
    const words = this.#memory.uint32;
    const neededAt = (frame + frameLayout.textNeeded) >>> 2;
    const textBlocks: BlockHandle[] = [];
    const run = batch.selection === 0 ? this.#all : this.#selected;
    let stopped = run(frame);
    try {
      while (stopped < batch.rowCount && words[neededAt]! > 0) {
        if (stopped > 0) this.#keepRoom(textBlocks);
        this.#room.renew(words[neededAt]!);
        this.#goOnFrom(stopped);
        stopped = run(frame);
      }
    } catch (error) {
      for (const block of textBlocks) this.#memory.release(block);
      throw error;
    }
    this.#room.at = words[(frame + frameLayout.textAt) >>> 2]!;
    this.#keepRoom(textBlocks);
    this.#keepTexts(textBlocks);
    return {
      failedIndex: stopped < batch.rowCount ? stopped : -1,
      selectedCount: words[(frame + frameLayout.selectedCount) >>> 2]!,
      textBlocks,
    };
  }

  /** A reference to the room's block, whose texts the outputs point to. */
  #keepRoom(textBlocks: BlockHandle[]): void {
    const block = this.#room.share();
    if (block !== 0) textBlocks.push(block);
  }

  #keepTexts(textBlocks: BlockHandle[]): void {
    const { blocks } = this.#texts;
    for (let at = 0; at < blocks.length; at++) {
      this.#memory.retain(blocks[at]!);
      textBlocks.push(blocks[at]!);
    }
  }

  close(): void {
    if (this.#frame !== 0) this.#memory.release(this.#frame);
    this.#frame = 0;
    for (const block of this.#texts.blocks) this.#memory.release(block);
    this.#texts.forget();
    this.#room.close();
  }

  get #memory(): SlotMemory {
    return this.#scope.memory;
  }

  #fill(batch: Batch, outputs: readonly OutputPlace[]): void {
    const { frame: layout } = this.program;
    const words = this.#memory.uint32;
    const frame = addressOf(this.#frame);
    const allValid = frame + layout.size;
    words[(frame + frameLayout.rowCount) >>> 2] = batch.rowCount;
    words[(frame + frameLayout.selection) >>> 2] = batch.selection;
    words[(frame + frameLayout.selectedCount) >>> 2] = 0;
    this.#goOnFrom(0);
    const indexes = this.#indexesIn(batch.schema);
    for (let at = 0; at < layout.columns.length; at++) {
      const { offset } = layout.columns[at]!;
      const { values, validity } = batch.columns[indexes[at]!]!;
      words[(frame + offset) >>> 2] = values;
      words[(frame + offset + 4) >>> 2] = validity === 0 ? allValid : validity;
    }
    for (let index = 0; index < layout.outputs.length; index++) {
      const { offset } = layout.outputs[index]!;
      words[(frame + offset) >>> 2] = outputs[index]!.values;
      words[(frame + offset + 4) >>> 2] = outputs[index]!.validity;
    }
  }

  /** Whether one of the columns that the program reads has nulls in the batch. */
  hasNullsIn(batch: Batch): boolean {
    const indexes = this.#indexesIn(batch.schema);
    for (let at = 0; at < indexes.length; at++) {
      if (batch.columns[indexes[at]!]!.validity !== 0) return true;
    }
    return false;
  }

  /** Where the program's columns are; looked up once for a schema. */
  #indexesIn(schema: Schema): readonly number[] {
    if (this.#schema !== schema) {
      this.#indexes = indexesIn(schema, this.program.frame);
      this.#schema = schema;
    }
    return this.#indexes;
  }

  /** Lets the next call begin at a place of the batch, in the room as it is. */
  #goOnFrom(index: number): void {
    const words = this.#memory.uint32;
    const frame = addressOf(this.#frame);
    words[(frame + frameLayout.fromIndex) >>> 2] = index;
    words[(frame + frameLayout.textAt) >>> 2] = this.#room.at;
    words[(frame + frameLayout.textEnd) >>> 2] = this.#room.end;
    words[(frame + frameLayout.textNeeded) >>> 2] = 0;
  }

  /** The frame with its literals, and behind it a bitmap of ones for columns without nulls. */
  #newFrame(): void {
    const { frame: layout, literals } = this.program;
    this.#frame = this.#scope.allocate(layout.size + allValidBytes);
    const frame = addressOf(this.#frame);
    const end = frame + layout.size;
    this.#memory.bytes.fill(0, frame, end);
    this.#memory.bytes.fill(0xff, end, end + allValidBytes);
    for (const [index, offset] of layout.literalOffsets) {
      const literal = literals[index];
      assert(literal !== undefined, 'a program knows its literals');
      if (literal.value !== null) this.#writeLiteral(frame + offset, literal);
    }
  }

  #writeLiteral(address: number, literal: Literal): void {
    const { int32, float64, bigInt64 } = this.#memory;
    const value = literalValueOf(literal);
    switch (formOf(literal.type)) {
      case 'i32':
        int32[address >>> 2] = Number(value);
        break;
      case 'i64':
        bigInt64[address / 8] = BigInt(value as number | bigint);
        break;
      case 'f64':
        float64[address / 8] = Number(value);
        break;
      case 'i128':
        bigInt64[address / 8] = BigInt.asIntN(64, value as bigint);
        bigInt64[address / 8 + 1] = (value as bigint) >> 64n;
        break;
      case 'view':
        if (typeof value === 'string') this.#texts.writeText(address, value);
        else this.#texts.writeBytes(address, value as Uint8Array);
        break;
    }
  }
}

function indexesIn(schema: Schema, { columns }: FrameBuilder): number[] {
  return columns.map(({ name }) => {
    const index = fieldIndexOf(schema, name);
    assert(index >= 0, 'an expression reads columns of its input');
    return index;
  });
}
