/**
 * Numbers of 128 bits as two i64, low and high, in two's complement: what decimals are made of. Sums
 * and products are taken modulo 2^128; that they fit is the caller's business (decimal-rule.ts).
 */
import { assert } from '../../../base/assert.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import type { PlainCode } from '../wasm/instructions.ts';

export interface Int128 {
  readonly low: Local;
  readonly high: Local;
}

/** A constant. */
export function constant128(code: CodeBuilder, value: bigint): Int128 {
  const low = code.i64(BigInt.asIntN(64, value)).keep('i64');
  return { low, high: code.i64(value >> 64n).keep('i64') };
}

/** An i64 with its sign. */
export function widened128(code: CodeBuilder, low: Local): Int128 {
  return { low, high: code.get(low).i64(63n).op('i64.shr_s').keep('i64') };
}

export function add128(code: CodeBuilder, a: Int128, b: Int128): Int128 {
  const low = code.get(a.low).get(b.low).op('i64.add').keep('i64');
  code.get(a.high).get(b.high).op('i64.add');
  code.get(low).get(a.low).op('i64.lt_u', 'i64.extend_i32_u', 'i64.add');
  return { low, high: code.keep('i64') };
}

export function subtract128(code: CodeBuilder, a: Int128, b: Int128): Int128 {
  const low = code.get(a.low).get(b.low).op('i64.sub').keep('i64');
  code.get(a.high).get(b.high).op('i64.sub');
  code.get(a.low).get(b.low).op('i64.lt_u', 'i64.extend_i32_u', 'i64.sub');
  return { low, high: code.keep('i64') };
}

/** The low 128 bits of the product, by the schoolbook in halves of 32 bits. */
export function multiply128(code: CodeBuilder, a: Int128, b: Int128): Int128 {
  const half = (value: Local, isHigh: boolean) => {
    code.get(value);
    if (isHigh) code.i64(32n).op('i64.shr_u');
    else code.i64(0xffff_ffffn).op('i64.and');
    return code.keep('i64');
  };
  const [a0, a1] = [half(a.low, false), half(a.low, true)];
  const [b0, b1] = [half(b.low, false), half(b.low, true)];
  const product = (x: Local, y: Local) => code.get(x).get(y).op('i64.mul').keep('i64');
  const [p00, p01, p10, p11] = [product(a0, b0), product(a0, b1), product(a1, b0), product(a1, b1)];
  // Three terms below 2^32 each and a carry: no overflow of 64 bits.
  code.get(p00).i64(32n).op('i64.shr_u');
  code.get(p01).i64(0xffff_ffffn).op('i64.and', 'i64.add');
  code.get(p10).i64(0xffff_ffffn).op('i64.and', 'i64.add');
  const middle = code.keep('i64');
  const low = code.get(a.low).get(b.low).op('i64.mul').keep('i64');
  code.get(p11);
  for (const part of [p01, p10, middle]) code.get(part).i64(32n).op('i64.shr_u', 'i64.add');
  code.get(a.low).get(b.high).op('i64.mul', 'i64.add');
  code.get(a.high).get(b.low).op('i64.mul', 'i64.add');
  return { low, high: code.keep('i64') };
}

/** Leaves 1 on the stack where `a op b`: by the high halves, and the low ones where those are equal. */
export function pushCompare128(
  code: CodeBuilder,
  op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge',
  { a, b }: { a: Int128; b: Int128 },
): void {
  if (op === 'eq' || op === 'ne') {
    code.get(a.low).get(b.low).op('i64.xor').get(a.high).get(b.high).op('i64.xor', 'i64.or');
    code.op('i64.eqz');
    if (op === 'ne') code.op('i32.eqz');
    return;
  }
  const strict = highCodes[op];
  assert(strict !== undefined, 'an order has a strict form');
  code
    .get(a.low)
    .get(b.low)
    .op(lowCodes[op] as PlainCode);
  code.get(a.high).get(b.high).op(strict);
  code.get(a.high).get(b.high).op('i64.eq', 'select');
}

const lowCodes = { lt: 'i64.lt_u', le: 'i64.le_u', gt: 'i64.gt_u', ge: 'i64.ge_u' } as const;
const highCodes = { lt: 'i64.lt_s', le: 'i64.lt_s', gt: 'i64.gt_s', ge: 'i64.gt_s' } as const;
