/** Goal: flags become typed values or one clear error; defaults and absent values are as declared. */
import { t } from 'millrace';
import { expect, test } from 'vitest';
import { flagNameOf, paramSpecsOf } from '../../../engine/api/param.ts';
import { parseParams, placeholderOf, resolveParams } from '../../../engine/api/param-values.ts';

const specs = paramSpecsOf({
  input: t.path().describe('where to read'),
  invalidUtf8: t.utf8().choices('fail', 'replace').default('fail'),
  top: t.int32().optional(),
  since: t.int64().default(5n),
  until: t.int64({ js: 'number' }).default(7),
  ratio: t.float64().default(0.5),
  isDry: t.bool().default(false),
});

test('texts become values, by flag or by name; the rest has its default', () => {
  expect(
    parseParams(specs, { input: 'in', 'invalid-utf8': 'replace', isDry: true, top: '-3' }),
  ).toEqual({
    input: 'in',
    invalidUtf8: 'replace',
    isDry: true,
    top: -3,
    since: 5n,
    until: 7,
    ratio: 0.5,
  });
});

test('an optional value that is left out is undefined', () => {
  expect(parseParams(specs, { input: 'in' })).toHaveProperty('top', undefined);
});

test.each`
  raw                                 | code               | message                                          | hint
  ${{}}                               | ${'PARAM_MISSING'} | ${'parameter "input" has no value'}              | ${'Give --input PATH (where to read).'}
  ${{ inptu: 'x' }}                   | ${'PARAM_UNKNOWN'} | ${'the job has no parameter "inptu"'}            | ${'Did you mean --input?'}
  ${{ 'invalid-utf8': 'ignore' }}     | ${'PARAM_INVALID'} | ${'parameter "invalid-utf8" can\'t be "ignore"'} | ${'Give one of fail, replace.'}
  ${{ top: '1.5' }}                   | ${'PARAM_INVALID'} | ${'parameter "top" can\'t be "1.5"'}             | ${'Give a whole number.'}
  ${{ top: '3000000000' }}            | ${'PARAM_INVALID'} | ${'parameter "top" can\'t be "3000000000"'}      | ${'2147483647'}
  ${{ top: true }}                    | ${'PARAM_INVALID'} | ${'parameter "top" can\'t be true'}              | ${'NUMBER'}
  ${{ since: '9223372036854775808' }} | ${'PARAM_INVALID'} | ${'9223372036854775808'}                         | ${'64 bits'}
  ${{ until: '9007199254740993' }}    | ${'PARAM_INVALID'} | ${'9007199254740993'}                            | ${'2^53'}
  ${{ ratio: 'half' }}                | ${'PARAM_INVALID'} | ${'parameter "ratio" can\'t be "half"'}          | ${'Give a number.'}
  ${{ ratio: '' }}                    | ${'PARAM_INVALID'} | ${'parameter "ratio" can\'t be ""'}              | ${'Give a number.'}
  ${{ isDry: 'yes' }}                 | ${'PARAM_INVALID'} | ${'parameter "is-dry" can\'t be "yes"'}          | ${'true or false'}
  ${{ input: '' }}                    | ${'PARAM_INVALID'} | ${'parameter "input" can\'t be ""'}              | ${'Give a path.'}
`('$raw: $code', ({ raw, code, message, hint }) => {
  expect(() => parseParams(specs, raw)).toThrow(
    expect.objectContaining({
      name: code,
      message: expect.stringContaining(message),
      info: expect.objectContaining({ hint: expect.stringContaining(hint) }),
    }),
  );
});

const more = paramSpecsOf({
  day: t.date().default('2026-01-31'),
  limit: t.decimal(6, 2).default('9.5'),
  port: t.uint16().default(80),
  level: t.int8().optional(),
  factor: t.float32().default(0.5),
});

test('dates, decimals and small numbers are read as functions read them', () => {
  const defaults = { day: '2026-01-31', limit: '9.50', port: 80, level: undefined, factor: 0.5 };
  expect(parseParams(more, {})).toEqual(defaults);
  const raw = { day: '2024-02-29', limit: '-1234.5', port: '65535', level: '-128', factor: '1e3' };
  const values = { day: '2024-02-29', limit: '-1234.50', port: 65_535, level: -128, factor: 1000 };
  expect(parseParams(more, raw)).toEqual(values);
  const given = {
    day: new Date('2024-02-29'),
    limit: -1234.5,
    port: 65_535n,
    level: -128,
    factor: 1000,
  };
  expect(resolveParams(more, given)).toEqual(values);
  expect(Object.values(more).map(placeholderOf)).toEqual([
    'YYYY-MM-DD',
    ...['NUMBER', 'NUMBER', 'NUMBER', 'NUMBER'],
  ]);
});

test.each`
  raw                      | hint
  ${{ day: '2026-02-29' }} | ${'Give a date like 2026-11-26.'}
  ${{ limit: '1.005' }}    | ${'Give a number of up to 6 digits, 2 of them behind the point.'}
  ${{ limit: '12345' }}    | ${'6 digits'}
  ${{ port: '65536' }}     | ${'Give a whole number from 0 to 65535.'}
  ${{ port: '-1' }}        | ${'from 0 to 65535'}
  ${{ level: '128' }}      | ${'from -128 to 127'}
  ${{ factor: '1e39' }}    | ${'a number that fits 32 bits'}
`('$raw is refused', ({ raw, hint }) => {
  expect(() => parseParams(more, raw)).toThrow(
    expect.objectContaining({
      name: 'PARAM_INVALID',
      info: expect.objectContaining({ hint: expect.stringContaining(hint) }),
    }),
  );
});

test('a default that does not fit is the mistake of the job', () => {
  const specs = paramSpecsOf({ port: t.uint16().default(70_000) });
  expect(() => parseParams(specs, {})).toThrow(
    'the default of parameter "port" can\'t be the number 70000',
  );
});

test('lists, structs and bytes are no flags', () => {
  for (const type of [t.list(t.utf8()), t.struct({ a: t.utf8() }), t.binary()]) {
    // @ts-expect-error no flag has such a type
    expect(() => paramSpecsOf({ wrong: type })).toThrow('has no type that a flag can have');
  }
});

test('values of a program are checked, not read', () => {
  expect(resolveParams(specs, { input: 'in', since: 9 })).toMatchObject({ since: 9n });
  expect(() => resolveParams(specs, { input: 'in', top: '3' })).toThrow(
    'parameter "top" can\'t be "3"',
  );
});

test('specs are what the command line prints', () => {
  expect(specs).toMatchObject({
    input: { type: 'path', isOptional: false, description: 'where to read' },
    invalidUtf8: { type: 'utf8', default: 'fail', choices: ['fail', 'replace'] },
    since: { type: 'int64', js: 'bigint', default: '5' },
  });
  expect(Object.values(specs).map(placeholderOf)).toEqual([
    'PATH',
    'fail|replace',
    'NUMBER',
    'NUMBER',
    'NUMBER',
    'NUMBER',
    'true|false',
  ]);
  expect(flagNameOf('invalidUtf8')).toBe('invalid-utf8');
});

test.each`
  params                                            | code                    | message
  ${{ parallelism: t.int32() }}                     | ${'JOB_PARAM_RESERVED'} | ${'"parallelism" has the name of a flag'}
  ${{ fromSavepoint: t.path() }}                    | ${'JOB_PARAM_RESERVED'} | ${'"fromSavepoint"'}
  ${{ Top: t.int32() }}                             | ${'JOB_PARAM_INVALID'}  | ${'"Top" can\'t be the name'}
  ${{ maxAge: t.int32(), 'max-age': t.int32() }}    | ${'JOB_PARAM_INVALID'}  | ${'the same flag --max-age'}
  ${{ at: t.timestampMs() }}                        | ${'JOB_PARAM_INVALID'}  | ${'"at" has no type'}
  ${{ m: t.utf8().default('x').choices('a', 'b') }} | ${'JOB_PARAM_INVALID'}  | ${'default of "m"'}
`('$message: $code', ({ params, code, message }) => {
  expect(() => paramSpecsOf(params)).toThrow(
    expect.objectContaining({ name: code, message: expect.stringContaining(message) }),
  );
});
