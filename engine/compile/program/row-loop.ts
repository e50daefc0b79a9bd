/**
 * The loop of a compiled program over the rows of a batch, in two forms: all stored rows, and those of
 * a selection. Bits of results are gathered in locals and added to memory 64 rows at a time:
 *
 *     while index < rowCount
 *       do
 *         body of the row               may stop the call before this row
 *       while the next row is of the same 64
 *       memory |= words of bits, words = 0
 *
 * The function answers the place where it stopped, `rowCount` when all is done.
 *
 * Contract: the caller clears the bitmaps before the first call over a batch.
 */

import type { Label, Local } from '../wasm/code-builder.ts';
import type { WasmFunction } from '../wasm/module-builder.ts';
import type { ExprEmitter } from './expr-emitter.ts';
import { frameLayout } from './frame.ts';

/** A bitmap that the loop fills. */
export interface BitOutput {
  /** Address of the bitmap. */
  readonly bitmap: Local;
  /** Bits of the 64 rows at hand. */
  readonly word: Local;
}

export interface RowLoop {
  readonly name: string;
  readonly hasSelection: boolean;
  /**
   * Emits what is done for a row; a branch to `stop` ends the call before this row. Answers the
   * bitmaps that it fills.
   */
  readonly body: (stop: Label) => readonly BitOutput[];
  /** Emits what is done at the end of the call. */
  readonly end: () => void;
}

/** Emits the whole function. */
export function rowLoop(emitter: ExprEmitter, loop: RowLoop): WasmFunction {
  const { code, row, prologue } = emitter;
  const rowCount = emitter.fromFrame(frameLayout.rowCount);
  const index = emitter.fromFrame(frameLayout.fromIndex);
  const isStopped = code.local('i32');
  const base = code.local('i32');
  const nextRow = () => {
    if (loop.hasSelection) {
      const selection = emitter.fromFrame(frameLayout.selection);
      code.get(selection).get(index).i32(2).op('i32.shl', 'i32.add').at('i32.load').set(row);
    } else {
      code.get(index).set(row);
    }
  };
  const pushBase = () => code.get(row).i32(6).op('i32.shr_u').i32(3).op('i32.shl');
  code.block((exit) => {
    code.loop((outer) => {
      code.get(index).get(rowCount).op('i32.ge_u').branchIf(exit);
      nextRow();
      pushBase().set(base);
      let bits: readonly BitOutput[] = [];
      code.block((flush) => {
        code.block((stop) => {
          code.loop((inner) => {
            emitter.startRow(stop);
            bits = loop.body(stop);
            code.get(index).i32(1).op('i32.add').tee(index);
            code.get(rowCount).op('i32.ge_u').branchIf(flush);
            nextRow();
            if (bits.length === 0) code.branch(inner);
            else pushBase().get(base).op('i32.eq').branchIf(inner);
          });
          code.branch(flush);
        });
        code.i32(1).set(isStopped);
      });
      for (const output of bits) flushWord(emitter, base, output);
      code.get(isStopped).op('i32.eqz').branchIf(outer);
    });
  });
  loop.end();
  emitter.endCall();
  code.get(index);
  return {
    name: loop.name,
    signature: { parameters: ['i32'], results: ['i32'] },
    locals: code.locals,
    parts: [prologue.bytes(), code.bytes()],
  };
}

function flushWord({ code }: ExprEmitter, base: Local, { bitmap, word }: BitOutput): void {
  const address = code.get(bitmap).get(base).op('i32.add').keep('i32');
  code.get(address).get(address).at('i64.load').get(word).op('i64.or').at('i64.store');
  code.i64(0n).set(word);
}

/** Sets the row's bit where the i32 on the stack is 1. */
export function addBit({ code, row }: ExprEmitter, { word }: BitOutput): void {
  code.op('i64.extend_i32_u').get(row).op('i64.extend_i32_u', 'i64.shl');
  code.get(word).op('i64.or').set(word);
}
