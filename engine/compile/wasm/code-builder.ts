/**
 * The code of one WebAssembly function, instruction by instruction, as the text format would have it:
 *
 *     code.get(price).get(quantity).op('f64.mul').set(total)
 *
 * Several builders may write parts of one function (a prologue that is known last, a body); they
 * share its locals. Values live in locals between statements: V8 turns those into registers, so a
 * local costs nothing, and code is written in the order in which people think of it.
 *
 * Contract: the stack is empty between statements, types fit (not checked here; the engine's own
 * validation refuses the module otherwise, which tests would see).
 */
import { assert } from '../../../base/assert.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  controlCodes,
  emptyBlock,
  type MemoryCode,
  memoryCodes,
  type PlainCode,
  plainCodes,
  type ValueType,
} from './instructions.ts';

export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** A block or loop that branches may go to. */
export interface Label {
  readonly depth: number;
}

/** The locals of one function, parameters first. */
export class FunctionLocals {
  readonly parameterCount: number;
  readonly #types: ValueType[];

  constructor(parameters: readonly ValueType[]) {
    this.parameterCount = parameters.length;
    this.#types = [...parameters];
  }

  parameter(index: number): Local {
    const type = this.#types[index];
    assert(type !== undefined && index < this.parameterCount, 'a function has this parameter');
    return { index, type };
  }

  /** A new local; 0 at the start of the function. */
  add(type: ValueType): Local {
    return { index: this.#types.push(type) - 1, type };
  }

  /** The types of all that are no parameters. */
  get declared(): readonly ValueType[] {
    return this.#types.slice(this.parameterCount);
  }
}

export class CodeBuilder {
  readonly locals: FunctionLocals;
  readonly #code = new ByteWriter();
  #depth = 0;

  constructor(locals: FunctionLocals) {
    this.locals = locals;
  }

  /** The bytes of all instructions so far. */
  bytes(): Uint8Array {
    assert(this.#depth === 0, 'all blocks are closed');
    return this.#code.bytes();
  }

  /** A new local of the function. */
  local(type: ValueType): Local {
    return this.locals.add(type);
  }

  get(local: Local): this {
    this.#code.byte(controlCodes.localGet).unsigned(local.index);
    return this;
  }

  set(local: Local): this {
    this.#code.byte(controlCodes.localSet).unsigned(local.index);
    return this;
  }

  /** Sets a local and leaves the value on the stack. */
  tee(local: Local): this {
    this.#code.byte(controlCodes.localTee).unsigned(local.index);
    return this;
  }

  /** Takes the value on the stack into a new local. */
  keep(type: ValueType): Local {
    const local = this.local(type);
    this.set(local);
    return local;
  }

  i32(value: number): this {
    this.#code.byte(controlCodes.i32Const).signed(BigInt(value | 0));
    return this;
  }

  i64(value: bigint): this {
    this.#code.byte(controlCodes.i64Const).signed(BigInt.asIntN(64, value));
    return this;
  }

  f64(value: number): this {
    this.#code.byte(controlCodes.f64Const).float64(value);
    return this;
  }

  op(...names: PlainCode[]): this {
    for (const name of names) {
      const code: number = plainCodes[name];
      if (code > 0xff) this.#code.byte(code >>> 8).unsigned(code & 0xff);
      else this.#code.byte(code);
    }
    return this;
  }

  /** Loads from the address on the stack, or stores there (address below the value). */
  at(name: MemoryCode, offset = 0): this {
    const [code, alignment] = memoryCodes[name];
    this.#code.byte(code).unsigned(alignment).unsigned(offset);
    return this;
  }

  call(functionIndex: number): this {
    this.#code.byte(controlCodes.call).unsigned(functionIndex);
    return this;
  }

  /** A branch to its label goes behind it. */
  block(body: (label: Label) => void): this {
    return this.#nested(controlCodes.block, body);
  }

  /** A branch to its label goes to its start. */
  loop(body: (label: Label) => void): this {
    return this.#nested(controlCodes.loop, body);
  }

  /** Runs `then` where the i32 on the stack is not 0, else `otherwise`. */
  if(then: () => void, otherwise?: () => void): this {
    return this.#nested(controlCodes.if, () => {
      then();
      if (otherwise === undefined) return;
      this.#code.byte(controlCodes.else);
      otherwise();
    });
  }

  branch({ depth }: Label): this {
    this.#code.byte(controlCodes.branch).unsigned(this.#depth - depth);
    return this;
  }

  /** Branches where the i32 on the stack is not 0. */
  branchIf({ depth }: Label): this {
    this.#code.byte(controlCodes.branchIf).unsigned(this.#depth - depth);
    return this;
  }

  #nested(code: number, body: (label: Label) => void): this {
    this.#code.byte(code).byte(emptyBlock);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#code.byte(controlCodes.end);
    return this;
  }
}
