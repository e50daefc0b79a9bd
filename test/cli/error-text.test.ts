/** Goal: an error is one clear message with what the user can act on, and no stack of ours. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type ErrorOptions, toWire, typedError } from '../../base/typed-error.ts';
import { errorText, shortPath, userFrames } from '../../cli/error-text.ts';

const plain = { hasColours: false, isDebug: false, workingFolder: '/home/user' };
const project = fileURLToPath(new URL('../..', import.meta.url));

function text(options: ErrorOptions, shown = plain): string {
  return errorText(toWire(typedError('FLAG_VALUE', 'message of it', options)), shown);
}

test('message, causes and hint stand below each other', () => {
  const cause = new Error('outer cause', { cause: new Error('inner cause') });
  for (const error of [cause, cause.cause as Error]) error.stack = '';
  expect(text({ hint: 'Do this.', cause })).toBe(
    [
      'error[FLAG_VALUE]: message of it',
      '  caused by: outer cause',
      '  caused by: inner cause',
      'hint: Do this.',
      '',
    ].join('\n'),
  );
});

test('the line that is meant is shown with a mark below the column', () => {
  const details = { line: 12, column: 5, source: 'let = 3;' };
  expect(text({ details })).toBe(
    'error[FLAG_VALUE]: message of it\n  12 │ let = 3;\n     │     ^\n',
  );
});

test('a foreign cause shows the frames of the user, ours and Node’s left out', () => {
  const cause = new Error('kaput');
  cause.stack = [
    'Error: kaput',
    '    at parse (file:///home/user/jobs/my%20job.ts:3:9)',
    '    at async Object.flatMap (file:///home/user/jobs/job.ts:7:1)',
    `    at FlatMap.process (file://${join(project, 'engine/operators/flat-map.ts')}:40:2)`,
    '    at node:internal/process/task_queues:105:5',
  ].join('\n');
  const shown = text({ cause, details: { row: '{"line":"a;b"}' } });
  expect(shown).toContain('  caused by: kaput\n    at parse (jobs/my job.ts:3:9)\n');
  expect(shown).toContain('    at Object.flatMap (jobs/job.ts:7:1)\n  record: {"line":"a;b"}\n');
  expect(shown).not.toMatch(/node:|operators/);
});

test('a job inside the project counts as the user’s', () => {
  const stack = `Error\n    at build (file://${join(project, 'jobs/wordcount/job.ts')}:20:3)`;
  expect(userFrames(stack, { workingFolder: project })).toEqual([
    'build (jobs/wordcount/job.ts:20:3)',
  ]);
});

test('a file of a submitted job is named as seen from the folder of its files, its packages are left out', () => {
  const stack = [
    'Error: no',
    '    at parse (job:///lib/my%20words.ts:12:5)',
    '    at each (job:///node_modules/lodash/lodash.js:530:9)',
    '    at job:///job.ts:3:1',
  ];
  expect(userFrames(stack.join('\n'), plain)).toEqual([
    'parse (lib/my words.ts:12:5)',
    'job.ts:3:1',
  ]);
});

test('an internal error asks for a report, and shows its stack only on request', () => {
  const wire = toWire(new Error('index out of range'));
  const shown = errorText(wire, plain);
  expect(shown).toContain('error[INTERNAL_UNEXPECTED]: index out of range');
  expect(shown).toContain('please report it');
  expect(shown).not.toContain('error-text.test.ts');
  expect(errorText(wire, { ...plain, isDebug: true })).toContain('error-text.test.ts');
});

test('colours only where they are wanted', () => {
  expect(text({ hint: 'Do.' })).not.toContain('\x1b[');
  expect(text({ hint: 'Do.' }, { ...plain, hasColours: true })).toContain('\x1b[');
});

test('a path is shown the shorter way', () => {
  expect(shortPath('/home/user/a.ts', '/home/user')).toBe('a.ts');
  expect(shortPath('/x.ts', '/home/user/deep/down')).toBe('/x.ts');
});
