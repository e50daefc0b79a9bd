/**
 * A program linked to a slot's memory, and the frame through which it is called. The frame is made at
 * the first batch: literals are written once, places of columns and outputs for each batch.
 */
import { assert } from '../../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../../batch/batch.ts';
import { TextArena } from '../../batch/text-arena.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';
import { fieldIndexOf } from '../../schema/schema.ts';
import { type ExprProgram, moduleOf } from './expr-program.ts';
import { frameLayout, type Literal } from './frame.ts';

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
}

type Run = (frame: number) => number;

/** A bitmap that says that all rows of a batch are there. */
const allValidBytes = bitmapSizeOf(batchRowsMax);

export class LinkedProgram {
  readonly program: ExprProgram;
  readonly #scope: MemoryScope;
  readonly #texts: TextArena;
  readonly #all: Run;
  readonly #selected: Run;
  #frame: BlockHandle = 0;

  constructor(program: ExprProgram, scope: MemoryScope, kernels: Kernels) {
    this.program = program;
    this.#scope = scope;
    this.#texts = new TextArena(scope);
    const imports = { env: { memory: scope.memory.memory }, kernels: { ...kernels } };
    const { exports } = new WebAssembly.Instance(moduleOf(program), imports);
    this.#all = exports.all as Run;
    this.#selected = exports.selected as Run;
  }

  run(batch: Batch, outputs: readonly OutputPlace[]): ProgramResult {
    if (this.#frame === 0) this.#newFrame();
    const frame = addressOf(this.#frame);
    this.#fill(batch, outputs);
    const run = batch.selection === 0 ? this.#all : this.#selected;
    const stopped = run(frame);
    return {
      failedIndex: stopped < batch.rowCount ? stopped : -1,
      selectedCount: this.#memory.uint32[(frame + frameLayout.selectedCount) >>> 2]!,
    };
  }

  close(): void {
    if (this.#frame !== 0) this.#memory.release(this.#frame);
    this.#frame = 0;
    for (const block of this.#texts.blocks) this.#memory.release(block);
    this.#texts.forget();
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
    words[(frame + frameLayout.fromIndex) >>> 2] = 0;
    words[(frame + frameLayout.selectedCount) >>> 2] = 0;
    for (const { name, offset } of layout.columns) {
      const { values, validity } = columnOf(batch, name);
      words[(frame + offset) >>> 2] = values;
      words[(frame + offset + 4) >>> 2] = validity === 0 ? allValid : validity;
    }
    for (const [index, { offset }] of layout.outputs.entries()) {
      words[(frame + offset) >>> 2] = outputs[index]!.values;
      words[(frame + offset + 4) >>> 2] = outputs[index]!.validity;
    }
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

  #writeLiteral(address: number, { type, value }: Literal): void {
    const memory = this.#memory;
    switch (type.kind) {
      case 'bool':
      case 'int8':
      case 'int16':
      case 'int32':
      case 'uint8':
      case 'uint16':
      case 'date':
        memory.int32[address >>> 2] = Number(value);
        break;
      case 'float32':
      case 'float64':
        memory.float64[address / 8] = Number(value);
        break;
      case 'uint32':
      case 'int64':
      case 'timestamp':
        memory.bigInt64[address / 8] = BigInt(String(value));
        break;
      case 'utf8':
        this.#texts.writeText(address, String(value));
        break;
      default:
        // Others have no rule (engine/compile/expr-emitter.ts).
        assert(false, `a program has no literal of ${type.kind}`);
    }
  }
}

export function columnOf(batch: Batch, name: string): Column {
  const column = batch.columns[fieldIndexOf(batch.schema, name)];
  assert(column !== undefined, 'an expression reads columns of its input');
  return column;
}
