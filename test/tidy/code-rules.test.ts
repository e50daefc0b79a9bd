/** Goal: each rule on code refuses a planted violation, by its node and not by its letters. */
import { expect, test } from 'vitest';
import * as rules from './code-rules.ts';

const inTemplate = (code: string) => `const text = \`$\{${code}}\`;`;
const call = rules.hasNoAmbientCall;
const load = rules.hasNoAmbientImport;
const swallowed = rules.hasNoEmptyCatch;
const log = rules.hasNoConsole;
const named = rules.hasNoDefaultExport;
const off = rules.hasNoTestSwitchedOff;
const loose = rules.hasNoLooseEnd;

test.each`
  rule         | path                       | code
  ${call}      | ${'engine/a.ts'}           | ${'const t = Date.now();'}
  ${call}      | ${'engine/a.ts'}           | ${'const now = Date.now;'}
  ${call}      | ${'engine/a.ts'}           | ${'f(Math.random());'}
  ${call}      | ${'engine/a.ts'}           | ${'const t = globalThis.performance.now();'}
  ${call}      | ${'coordinator/a.ts'}      | ${'setTimeout(f, 1);'}
  ${call}      | ${'coordinator/a.ts'}      | ${'setInterval(f, 1);'}
  ${call}      | ${'coordinator/a.ts'}      | ${'await new Promise((r) => g(setImmediate));'}
  ${call}      | ${'coordinator/a.ts'}      | ${inTemplate('process.hrtime()')}
  ${call}      | ${'simulation/sim-net.ts'} | ${'setTimeout(f, 1);'}
  ${call}      | ${'connectors/a.ts'}       | ${'await fetch(url);'}
  ${call}      | ${'base/a.ts'}             | ${'new WeakRef(x);'}
  ${call}      | ${'base/a.ts'}             | ${'const r = new FinalizationRegistry(f);'}
  ${load}      | ${'connectors/a.ts'}       | ${"import { readFileSync } from 'node:fs';"}
  ${load}      | ${'connectors/a.ts'}       | ${"import fs from 'node:fs/promises';"}
  ${load}      | ${'connectors/a.ts'}       | ${"const net = await import('node:net');"}
  ${load}      | ${'coordinator/a.ts'}      | ${"import { randomUUID } from 'crypto';"}
  ${load}      | ${'worker/a.ts'}           | ${"import { Worker } from 'node:worker_threads';"}
  ${swallowed} | ${'cli/a.mjs'}             | ${'try { f(); } catch {}'}
  ${swallowed} | ${'test/a.test.ts'}        | ${'try { f(); } catch (error) {\n}'}
  ${swallowed} | ${'base/a.ts'}             | ${'void f().catch(() => {});'}
  ${swallowed} | ${'base/a.ts'}             | ${'void f().catch(() => undefined);'}
  ${swallowed} | ${'base/a.ts'}             | ${'void f().catch(function () {});'}
  ${log}       | ${'engine/a.ts'}           | ${"console.log('x');"}
  ${log}       | ${'test/a.test.ts'}        | ${'console.error(1);'}
  ${named}     | ${'engine/a.ts'}           | ${'export default 1;'}
  ${named}     | ${'engine/a.ts'}           | ${'export default function f() {}'}
  ${named}     | ${'cli/a.mjs'}             | ${'export default class {}'}
  ${off}       | ${'test/a.test.ts'}        | ${"test.only('x', f);"}
  ${off}       | ${'test/a.test.ts'}        | ${"describe.skip('x', f);"}
  ${off}       | ${'test/a.test.ts'}        | ${"it.todo('x');"}
  ${off}       | ${'test/a.test.ts'}        | ${"test.skip.each([1])('x', f);"}
  ${loose}     | ${'engine/a.ts'}           | ${'f(); // TODO later'}
  ${loose}     | ${'engine/a.ts'}           | ${'/** FIXME (#12) */ f();'}
  ${loose}     | ${'engine/a.ts'}           | ${inTemplate('/* TODO */ 1')}
`('$rule.name refuses $code in $path', ({ rule, path, code }) => {
  const problems = rule([{ path, text: `/** A header. */\nexport {};\n${code}\n` }]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ path, line: 3 });
});

test.each`
  rule         | path                        | code
  ${call}      | ${'engine/a.ts'}            | ${'// Date.now() and setTimeout(f)'}
  ${call}      | ${'engine/a.ts'}            | ${"const s = 'Math.random()';"}
  ${call}      | ${'engine/a.ts'}            | ${'env.timers.setTimeout(f, 1);'}
  ${call}      | ${'engine/a.ts'}            | ${'interface T { fetch(url: string): void }'}
  ${call}      | ${'jobs/a/job.ts'}          | ${'await fetch(url);'}
  ${call}      | ${'base/env/real-clock.ts'} | ${'Date.now();'}
  ${call}      | ${'simulation/guard.ts'}    | ${'Date.now();'}
  ${load}      | ${'base/env/real-disk.ts'}  | ${"import fs from 'node:fs';"}
  ${load}      | ${'connectors/a.ts'}        | ${"import { posix } from 'node:path';"}
  ${load}      | ${'connectors/a.ts'}        | ${'const s = "import fs from \'node:fs\'";'}
  ${swallowed} | ${'base/a.ts'}              | ${'try { f(); } catch { /* Gone already. */ }'}
  ${swallowed} | ${'base/a.ts'}              | ${'try { f(); } catch { return null; }'}
  ${swallowed} | ${'base/a.ts'}              | ${'void f().catch(() => undefined); // Gone already.'}
  ${swallowed} | ${'base/a.ts'}              | ${'// Gone already.\nvoid f().catch(() => undefined);'}
  ${swallowed} | ${'base/a.ts'}              | ${'await f().catch(() => null);'}
  ${swallowed} | ${'base/a.ts'}              | ${'void f().catch((error) => report(error));'}
  ${log}       | ${'cli/a.ts'}               | ${"console.log('x');"}
  ${named}     | ${'jobs/wordcount/job.ts'}  | ${'export default 1;'}
  ${named}     | ${'vitest.config.ts'}       | ${'export default 1;'}
  ${off}       | ${'test/a.test.ts'}         | ${'rows.skip(1); list.only.x();'}
  ${loose}     | ${'engine/a.ts'}            | ${'f(); // TODO #12: later'}
  ${loose}     | ${'engine/a.ts'}            | ${"f('TODO'); const s = 'FIXME';"}
`('$rule.name lets $code pass in $path', ({ rule, path, code }) => {
  expect(rule([{ path, text: `/** A header. */\n${code}\n` }])).toEqual([]);
});
