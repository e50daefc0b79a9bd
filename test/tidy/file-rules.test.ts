/** Goal: each rule on whole files refuses a planted violation, and lets its neighbour pass. */
import { expect, test } from 'vitest';
import {
  hasHeader,
  isShort,
  isWellNamed,
  mirrorsASource,
  namesNoMachinePath,
} from './file-rules.ts';
import type { Rule } from './tree.ts';

const header = '/** A file that says what it is. */\n';
const lines = (count: number) => `${header}${'x;\n'.repeat(count - 1)}`;
// Built, not written: else this file would break the rule itself.
const here = (folder: string) => ['', folder, 'main', 'x'].join('/');

function pathsRefused(rule: Rule, files: Record<string, string>): string[] {
  return rule(Object.entries(files).map(([path, text]) => ({ path, text }))).map(
    ({ path }) => path,
  );
}

test.each`
  rule                  | path                          | text                                | isRefused
  ${hasHeader}          | ${'base/a.ts'}                | ${header}                           | ${false}
  ${hasHeader}          | ${'cli/a.mjs'}                | ${`#!/usr/bin/env node\n${header}`} | ${false}
  ${hasHeader}          | ${'base/a.ts'}                | ${'export const x = 1;'}            | ${true}
  ${hasHeader}          | ${'base/a.ts'}                | ${'/** x */\nexport {};'}           | ${true}
  ${hasHeader}          | ${'engine/kernels/a.as.ts'}   | ${'// Nothing.\n'}                  | ${true}
  ${hasHeader}          | ${'engine/kernels/a.wasm.ts'} | ${'export {};'}                     | ${false}
  ${hasHeader}          | ${'cli/a.mjs'}                | ${`import 'x';\n${header}`}         | ${true}
  ${isShort}            | ${'base/a.ts'}                | ${lines(500)}                       | ${false}
  ${isShort}            | ${'base/a.ts'}                | ${lines(501)}                       | ${true}
  ${isShort}            | ${'test/base/a.test.ts'}      | ${lines(700)}                       | ${false}
  ${isShort}            | ${'test/base/a.test.ts'}      | ${lines(701)}                       | ${true}
  ${isShort}            | ${'engine/a.wasm.ts'}         | ${lines(9_000)}                     | ${false}
  ${isWellNamed}        | ${'base/units.ts'}            | ${header}                           | ${false}
  ${isWellNamed}        | ${'base/utils.ts'}            | ${header}                           | ${true}
  ${isWellNamed}        | ${'base/helpers/a.ts'}        | ${header}                           | ${true}
  ${isWellNamed}        | ${'engine/types.ts'}          | ${header}                           | ${true}
  ${isWellNamed}        | ${'test/common.test.ts'}      | ${header}                           | ${true}
  ${isWellNamed}        | ${'engine/misc.as.ts'}        | ${header}                           | ${true}
  ${isWellNamed}        | ${'engine/plan/index.ts'}     | ${header}                           | ${true}
  ${isWellNamed}        | ${'engine/api/index.ts'}      | ${header}                           | ${false}
  ${namesNoMachinePath} | ${'docs/a.md'}                | ${`see ${here('work')}`}            | ${true}
  ${namesNoMachinePath} | ${'docs/a.md'}                | ${`"${here('root')}"`}              | ${true}
  ${namesNoMachinePath} | ${'docs/a.md'}                | ${`the folder a${here('work')}`}    | ${false}
  ${namesNoMachinePath} | ${'docs/a.md'}                | ${'/workshop/ /tmp/x'}              | ${false}
`('$rule.name on $path: refused is $isRefused', ({ rule, path, text, isRefused }) => {
  expect(pathsRefused(rule, { [path]: text })).toEqual(isRefused ? [path] : []);
});

test('a test without its source file is refused', () => {
  const files = {
    'engine/memory/ring.ts': header,
    'engine/kernels/text.as.ts': header,
    'cli/setup.mjs': header,
    'test/engine/memory/ring.test.ts': header,
    'test/engine/memory/ring-threads.test.ts': header,
    'test/engine/kernels/text.test.ts': header,
    'test/cli/setup.test.ts': header,
    'test/engine/memory.test.ts': header,
    'test/hazards/zombie-worker.test.ts': header,
    'test/tidy.test.ts': header,
  };
  expect(pathsRefused(mirrorsASource, files)).toEqual([]);
  const strays = { 'test/engine/memory/wheel.test.ts': header, 'test/novel.test.ts': header };
  expect(pathsRefused(mirrorsASource, { ...files, ...strays })).toEqual(Object.keys(strays));
});
