/** Goal: the committed bytes are those of the sources, and link to every plain memory. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileKernels, wasmSourceOf } from '../../../engine/kernels/build-kernels.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';

test('the committed module is what the sources compile to', { timeout: 120_000 }, async () => {
  const committed = new URL('../../../engine/kernels/kernels.wasm.ts', import.meta.url);
  expect(wasmSourceOf(await compileKernels())).toBe(readFileSync(committed, 'utf8'));
});

test.each([256, 1024, 4096, 32_768, 65_536])('a memory of %i pages links', (pages) => {
  const fixed = new WebAssembly.Memory({ initial: pages, maximum: pages });
  expect(instantiateKernels(fixed).splitLines(65_536, 65_536, 1, 131_072, 1, 1024)).toBe(0);
  expect(instantiateKernels(new WebAssembly.Memory({ initial: pages }))).toHaveProperty('take4');
});
