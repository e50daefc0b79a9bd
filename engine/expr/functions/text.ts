/**
 * Functions on text. Lengths and places count code points, from 0 as in JavaScript: "😀" is one.
 * Case and white space are Unicode's, as in JavaScript, whatever the language.
 */
import { boolType, int32Type, utf8Type } from '../../schema/field-type.ts';
import type { TextFunction } from '../function-name.ts';
import { RegexFinder } from '../regex/regex-finder.ts';
import { parseRegex } from '../regex/regex-parser.ts';
import { compileRegex } from '../regex/regex-program.ts';
import { RegexTester } from '../regex/regex-tester.ts';
import { overflow, textLengthMax } from '../value.ts';
import {
  type CallExpr,
  type Compute,
  type FunctionRule,
  integer,
  literalIn,
  literalInteger,
  literalText,
  text,
} from './function-rule.ts';
import { likeMatcherOf } from './like.ts';

export const textFunctions: Readonly<Record<TextFunction, FunctionRule>> = {
  /** All texts, one after the other. */
  concat: { ...textOf(text), isVariadic: true, prepare: () => concat },
  contains: test((value: string, part: string) => value.includes(part)),
  endsWith: test((value: string, part: string) => value.endsWith(part)),
  /** A group of the first match of a regular expression: (text, pattern, flags, group). */
  extract: {
    ...textOf(text, literalText, literalText, literalInteger),
    isNullable: () => true,
    text: ([input, pattern, flags, group]) =>
      `extract(${input}, ${regexText(pattern, flags)}, ${group})`,
    prepare: prepareExtract,
  },
  /** Where a text begins in another for the first time; -1 where it does not. */
  indexOf: {
    parameters: [text, text],
    resultType: () => int32Type,
    prepare: () => (value: string, part: string) => {
      const index = value.indexOf(part);
      return index < 0 ? -1 : lengthOf(value.slice(0, index));
    },
  },
  /** Code points of a text, bytes of a binary, items of a list. */
  length: {
    parameters: [
      {
        needs: 'a text, a binary or a list',
        takes: ({ kind }) => kind === 'utf8' || kind === 'binary' || kind === 'list',
      },
    ],
    resultType: () => int32Type,
    prepare: () => (value: string | { readonly length: number }) =>
      typeof value === 'string' ? lengthOf(value) : value.length,
  },
  /** `%` stands for any text, `_` for one code point; behind `\` both stand for themselves. */
  like: {
    parameters: [text, literalText],
    resultType: () => boolType,
    text: ([value, pattern]) => `${value} like ${pattern}`,
    prepare: (call) => likeMatcherOf(String(literalIn(call, 1))),
  },
  lower: { ...textOf(text), prepare: () => (value: string) => value.toLowerCase() },
  /** Whether a regular expression matches somewhere: (text, pattern, flags). */
  matches: {
    parameters: [text, literalText, literalText],
    resultType: () => boolType,
    text: ([input, pattern, flags]) => `matches(${input}, ${regexText(pattern, flags)})`,
    prepare: (call) => {
      const tester = new RegexTester(compileRegex(regexIn(call)));
      return (value: string) => tester.test(value);
    },
  },
  padEnd: {
    ...textOf(text, integer, text),
    prepare: () => (value: string, length: number | bigint, fill: string) =>
      padded(value, Number(length), fill, (padding) => value + padding),
  },
  padStart: {
    ...textOf(text, integer, text),
    prepare: () => (value: string, length: number | bigint, fill: string) =>
      padded(value, Number(length), fill, (padding) => padding + value),
  },
  /** Nothing for counts below 1. */
  repeat: {
    ...textOf(text, integer),
    prepare: () => (value: string, count: number | bigint) => {
      const times = Math.max(Number(count), 0);
      return value.length * times > textLengthMax ? overflow : repeated(value, times);
    },
  },
  /** Every place of a text, which is no pattern; of the empty text there is none. */
  replace: {
    ...textOf(text, text, text),
    prepare: () => (value: string, part: string, replacement: string) =>
      part === '' ? value : value.split(part).join(replacement),
  },
  reverse: { ...textOf(text), prepare: () => (value: string) => [...value].reverse().join('') },
  /** The parts between a text, which is no pattern; by the empty text into code points. */
  split: {
    parameters: [text, text],
    resultType: () => ({ kind: 'list', item: { type: utf8Type, nullable: false } }),
    prepare: () => (value: string, separator: string) =>
      separator === '' ? [...value] : value.split(separator),
  },
  startsWith: test((value: string, part: string) => value.startsWith(part)),
  /** From a place to before another (or the end), both cut to the text: (text, start, end). */
  substring: {
    ...textOf(text, integer, { ...integer, isOptional: true }),
    prepare:
      () =>
      (value: string, start: number | bigint, end: number | bigint = value.length) =>
        substring(value, Math.max(Number(start), 0), Math.max(Number(end), 0)),
  },
  trim: { ...textOf(text), prepare: () => (value: string) => value.trim() },
  trimEnd: { ...textOf(text), prepare: () => (value: string) => value.trimEnd() },
  trimStart: { ...textOf(text), prepare: () => (value: string) => value.trimStart() },
  upper: { ...textOf(text), prepare: () => (value: string) => value.toUpperCase() },
};

/** A function of these parameters that gives a text. */
function textOf(...parameters: FunctionRule['parameters']) {
  return { parameters, resultType: () => utf8Type };
}

function test(compute: Compute): FunctionRule {
  return { parameters: [text, text], resultType: () => boolType, prepare: () => compute };
}

function concat(...values: string[]): string {
  return values.join('');
}

const surrogate = /[\ud800-\udfff]/;

function lengthOf(value: string): number {
  if (!surrogate.test(value)) return value.length;
  let length = 0;
  for (const _ of value) length++;
  return length;
}

function substring(value: string, start: number, end: number): string {
  if (!surrogate.test(value)) return value.slice(start, Math.max(start, end));
  return [...value].slice(start, Math.max(start, end)).join('');
}

/** `repeat` of a text that is empty may be asked for more often than JavaScript repeats. */
function repeated(value: string, times: number): string {
  return value === '' ? '' : value.repeat(times);
}

function padded(
  value: string,
  length: number,
  fill: string,
  join: (padding: string) => string,
): string | typeof overflow {
  const missing = length - lengthOf(value);
  if (missing <= 0 || fill === '') return value;
  if (missing > textLengthMax) return overflow;
  const signs = [...fill];
  const whole = fill.repeat(Math.floor(missing / signs.length));
  return join(whole + signs.slice(0, missing % signs.length).join(''));
}

function regexText(pattern = '""', flags = '""'): string {
  return `/${JSON.parse(pattern)}/${JSON.parse(flags)}`;
}

function regexIn(call: CallExpr) {
  return parseRegex(String(literalIn(call, 1)), String(literalIn(call, 2)));
}

function prepareExtract(call: CallExpr): Compute {
  const finder = new RegexFinder(compileRegex(regexIn(call)));
  const slot = Number(literalIn(call, 3)) * 2;
  return (value: string) => {
    const slots = finder.find(value);
    const [start = -1, end = -1] = [slots?.[slot], slots?.[slot + 1]];
    return start < 0 || end < 0 ? null : value.slice(start, end);
  };
}
