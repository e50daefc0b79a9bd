/** Goal: sizes are read and written as people do, binary everywhere. */
import { expect, test } from 'vitest';
import { formatBytes, formatCount, formatDuration, parseSize } from '../../base/units.ts';

test.each`
  text         | sizeBytes
  ${'0'}       | ${0}
  ${'4096'}    | ${4_096}
  ${'12B'}     | ${12}
  ${'1k'}      | ${1_024}
  ${'512MB'}   | ${512 * 1024 ** 2}
  ${'64KiB'}   | ${65_536}
  ${' 1.5 gb'} | ${1.5 * 1024 ** 3}
  ${'2T'}      | ${2 * 1024 ** 4}
`('"$text" is $sizeBytes bytes', ({ text, sizeBytes }) => {
  expect(parseSize(text)).toBe(sizeBytes);
});

test.each(['', 'MB', '-1MB', '1.MB', '1 PB', '1e3', '12 monkeys', 'NaN', '9999999TB'])(
  '"%s" is no size',
  (text) => {
    expect(() => parseSize(text)).toThrow(`"${text}" is no size`);
  },
);

test.each`
  sizeBytes        | text
  ${0}             | ${'0 B'}
  ${999}           | ${'999 B'}
  ${22.65}         | ${'23 B'}
  ${1_023}         | ${'1.0 KB'}
  ${1_610_612_736} | ${'1.5 GB'}
  ${1024 ** 5}     | ${'1024.0 TB'}
`('$sizeBytes bytes read as $text', ({ sizeBytes, text }) => {
  expect(formatBytes(sizeBytes)).toBe(text);
});

test('counts have thousands separated, big ones too', () => {
  expect([0, 999, 1_000, 35_675_309].map(formatCount)).toEqual(['0', '999', '1,000', '35,675,309']);
  expect(formatCount(2n ** 63n)).toBe('9,223,372,036,854,775,808');
});

test.each`
  durationMs    | text
  ${0.4}        | ${'0 ms'}
  ${999}        | ${'999 ms'}
  ${2_345}      | ${'2.3 s'}
  ${59_940}     | ${'59.9 s'}
  ${83_400}     | ${'1m 23s'}
  ${3_599_900}  | ${'1h 0m'}
  ${90_061_000} | ${'25h 1m'}
`('$durationMs ms read as $text', ({ durationMs, text }) => {
  expect(formatDuration(durationMs)).toBe(text);
});
