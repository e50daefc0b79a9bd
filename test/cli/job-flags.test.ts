/** Goal: parameters are read from flags in every way people write them; mistakes name the way out. */
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addParamOptions, paramValuesOf, parseFlags } from '../../cli/job-flags.ts';
import { defineJob, t } from '../../engine/api/index.ts';
import { typedErrorOf } from '../support/typed-error-of.ts';

const { params: specs } = defineJob({
  name: 'flags',
  params: {
    input: t.path().describe('what to read'),
    top: t.int32().default(20),
    invalidUtf8: t.utf8().choices('fail', 'replace').default('fail'),
    upperCase: t.bool().default(false),
    header: t.bool().default(true),
    ratio: t.float64().optional(),
  },
  build: () => {
    throw new Error('never built here');
  },
});

function command(): Command {
  const made = new Command('test').option('--parallelism <count>').option('--json');
  addParamOptions(made, specs, 'Parameters:');
  return made;
}

function read(...args: string[]) {
  const { raw, engine } = parseFlags(command(), specs, args);
  return { params: paramValuesOf(specs, raw, { verb: 'run', file: 'job.ts' }), engine };
}

test('values come with their types, defaults filled in', () => {
  const { params, engine } = read('--input', 'a b.txt', '--top', '5', '--json');
  expect(params).toEqual({
    input: 'a b.txt',
    top: 5,
    invalidUtf8: 'fail',
    upperCase: false,
    header: true,
    ratio: undefined,
  });
  expect(engine).toEqual({ json: true });
});

test.each`
  args                             | name             | value
  ${['--top=7']}                   | ${'top'}         | ${7}
  ${['--top', '-7']}               | ${'top'}         | ${-7}
  ${['--top', '1', '--top', '2']}  | ${'top'}         | ${2}
  ${['--invalid-utf8', 'replace']} | ${'invalidUtf8'} | ${'replace'}
  ${['--invalidUtf8=replace']}     | ${'invalidUtf8'} | ${'replace'}
  ${['--upper-case']}              | ${'upperCase'}   | ${true}
  ${['--upperCase']}               | ${'upperCase'}   | ${true}
  ${['--upper-case=true']}         | ${'upperCase'}   | ${true}
  ${['--no-header']}               | ${'header'}      | ${false}
  ${['--header=false']}            | ${'header'}      | ${false}
  ${['--ratio', '1e-3']}           | ${'ratio'}       | ${0.001}
`('$args gives $name the value $value', ({ args, name, value }) => {
  expect(read('--input', 'x', ...args).params[name]).toBe(value);
});

test.each`
  args                                          | code                       | text
  ${['--inptu', 'x']}                           | ${'FLAG_NOT_FOUND'}        | ${/Did you mean --input\? Flags are --parallelism, --json, --input/}
  ${['--par', '2']}                             | ${'FLAG_NOT_FOUND'}        | ${/Did you mean --parallelism\?/}
  ${['--seed', '1']}                            | ${'FLAG_NOT_AVAILABLE'}    | ${/not available in this version/}
  ${['--from-savepoint=x']}                     | ${'FLAG_NOT_AVAILABLE'}    | ${/--from-savepoint/}
  ${['--top', '5', 'extra']}                    | ${'ARGUMENT_NOT_EXPECTED'} | ${/"extra"/}
  ${['--upper-case=maybe']}                     | ${'FLAG_VALUE'}            | ${/not true or false/}
  ${['--input']}                                | ${'FLAG_VALUE'}            | ${/--input <PATH>" argument missing/}
  ${['--input', 'x', '--top', 'many']}          | ${'PARAM_INVALID'}         | ${/"top" can't be "many"/}
  ${['--input', 'x', '--invalid-utf8', 'drop']} | ${'PARAM_INVALID'}         | ${/fail, replace/}
  ${['--top', '5']}                             | ${'PARAM_MISSING'}         | ${/--input <PATH> \(what to read\)[\s\S]*millrace run job\.ts --input data\.txt/}
`('$args is refused with $code', ({ args, code, text }) => {
  const error = typedErrorOf(() => read(...args));
  expect(error?.info.code).toBe(code);
  expect(`${error?.message}\n${error?.info.hint}`).toMatch(text);
});

test('help lists parameters with types, descriptions and defaults', () => {
  const help = command().helpInformation();
  expect(help).toContain('--input <PATH>');
  expect(help).toContain('what to read (required)');
  expect(help).toContain('--invalid-utf8 <fail|replace>');
  expect(help).toContain('(default 20)');
  expect(help).toContain('--no-header');
  expect(help).not.toContain('--no-upper-case');
});
