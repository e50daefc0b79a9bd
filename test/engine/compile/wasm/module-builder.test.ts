/** Goal: modules of the builder are valid, and their functions compute what was written. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../../../engine/compile/wasm/byte-writer.ts';
import { CodeBuilder, FunctionLocals } from '../../../../engine/compile/wasm/code-builder.ts';
import type { ValueType } from '../../../../engine/compile/wasm/instructions.ts';
import { ModuleBuilder } from '../../../../engine/compile/wasm/module-builder.ts';

const memory = new WebAssembly.Memory({ initial: 1 });

/** A function of one parameter, over the memory and an imported `twice`. */
function compile(
  type: ValueType,
  write: (code: CodeBuilder, locals: FunctionLocals, twice: number) => void,
) {
  const module = new ModuleBuilder();
  const signature = { parameters: [type], results: [type] };
  const twice = module.importFunction('test', 'twice', signature);
  expect(module.importFunction('test', 'twice', signature)).toBe(twice);
  const locals = new FunctionLocals([type]);
  const code = new CodeBuilder(locals);
  write(code, locals, twice);
  module.addFunction({ name: 'run', signature, locals, parts: [code.bytes()] });
  const bytes = module.bytes();
  expect(WebAssembly.validate(bytes)).toBe(true);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory },
    test: { twice: (value: never) => (value as number) * 2 },
  });
  return instance.exports.run as (value: unknown) => unknown;
}

test('constants of every size come back', () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.integer(), fc.double(), (a, b, c) => {
      expect(compile('i64', (code) => code.i64(a))(0n)).toBe(a);
      expect(compile('i32', (code) => code.i32(b))(0)).toBe(b);
      expect(compile('f64', (code) => code.f64(c))(0)).toBe(c);
    }),
    { numRuns: 50 },
  );
});

test('unsigned LEB128 is what the specification says', () => {
  const bytes = new ByteWriter()
    .unsigned(624_485)
    .unsigned(0)
    .unsigned(2 ** 32 - 1)
    .bytes();
  expect([...bytes]).toEqual([0xe5, 0x8e, 0x26, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f]);
});

test('loops, blocks and branches nest', () => {
  // The sum of the numbers below n that are not multiples of 3.
  const sum = compile('i32', (code, locals) => {
    const n = locals.parameter(0);
    const [index, total] = [code.local('i32'), code.local('i32')];
    code.block((done) => {
      code.loop((next) => {
        code.get(index).get(n).op('i32.ge_u').branchIf(done);
        code.get(index).i32(3).op('i32.rem_u');
        code.if(
          () => code.get(total).get(index).op('i32.add').set(total),
          () => code.get(index).op('drop'),
        );
        code.get(index).i32(1).op('i32.add').set(index).branch(next);
      });
    });
    code.get(total);
  });
  expect(sum(10)).toBe(1 + 2 + 4 + 5 + 7 + 8);
  expect(sum(0)).toBe(0);
});

test('imports are called, locals of many types are told apart', () => {
  const run = compile('f64', (code, locals, twice) => {
    const [a, b] = [code.local('i64'), code.local('f64')];
    code.i64(5n).set(a);
    code.get(locals.parameter(0)).call(twice).tee(b);
    code.get(a).op('f64.convert_i64_s', 'f64.add').get(b).op('f64.add');
  });
  expect(run(1.5)).toBe(11);
});

test('memory is read and written at offsets', () => {
  const run = compile('i32', (code, locals) => {
    code.get(locals.parameter(0)).i32(-2).at('i32.store16', 200);
    code.get(locals.parameter(0)).at('i32.load16_u', 200);
  });
  expect(run(64)).toBe(0xfffe);
  expect(new DataView(memory.buffer).getUint16(264, true)).toBe(0xfffe);
});

test('saturating instructions have their prefix', () => {
  const run = compile('f64', (code, locals) => {
    code.get(locals.parameter(0)).op('i64.trunc_sat_f64_s', 'f64.convert_i64_s');
  });
  expect(run(Number.NaN)).toBe(0);
  expect(run(-7.9)).toBe(-7);
});

test('a block that is left open is refused', () => {
  const code = new CodeBuilder(new FunctionLocals([]));
  expect(() => code.block(() => code.bytes())).toThrow('all blocks are closed');
});
