/** Goal: letters are the same in any case exactly where JavaScript's flags `iu` have them so. */
import { expect, test } from 'vitest';
import { foldCase, withAllCases } from '../../../../engine/expr/regex/case-folding.ts';
import { charSetOf, rangesOf } from '../../../../engine/expr/regex/char-set.ts';

test('all letters of Unicode fold as in JavaScript', () => {
  const cased: number[] = [];
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
    const sign = String.fromCodePoint(codePoint);
    if (sign.toLowerCase() !== sign || sign.toUpperCase() !== sign) cased.push(codePoint);
    else if (foldCase(codePoint) !== codePoint) expect.fail(`${codePoint} has no other case`);
  }
  expect(cased.length).toBeGreaterThan(2500);
  const all = String.fromCodePoint(...cased);
  for (const codePoint of cased) {
    const escaped = `\\u{${codePoint.toString(16)}}`;
    const alike = [...all.matchAll(new RegExp(escaped, 'giu'))].map(([sign]) =>
      sign.codePointAt(0),
    );
    const folded = foldCase(codePoint);
    const ours = rangesOf(withAllCases(charSetOf([codePoint, codePoint]))).flatMap(
      ([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
    expect(ours, escaped).toEqual(alike);
    expect(ours.map(foldCase), escaped).toEqual(ours.map(() => folded));
  }
});
