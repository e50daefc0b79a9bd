/**
 * Rules of casts from and to texts. Kernels read and write what texts mostly are; what they leave out is
 * asked of the reference, in JavaScript (engine/compile/program/host-functions.ts).
 *
 *     room   … earlier texts │ scratch: value, copy of the text …        end       read
 *                            │ the new text …                            end       written
 */

import { castScratchBytes, castTextBytes } from '../../kernels/cast-text-kernels.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { FieldType } from '../../schema/field-type.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import type { MemoryCode, ValueType } from '../wasm/instructions.ts';
import { pushAs } from './number-forms.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import { madeText, reserve } from './text-making-rules.ts';
import { bytesOf, ifAsked, ifTrue, lengthOf } from './text-value.ts';
import { formOf, type Value } from './value.ts';

/** Parts of a value that was read from a text, and whether the text is none. */
interface Read {
  readonly parts: readonly Local[];
  readonly isLost: Local;
}

/** How values of a type are read: by a kernel that takes numbers behind text and scratch. */
interface Reading {
  readonly kernel: keyof Kernels;
  readonly numbers: readonly number[];
  /** What the host reads: a narrower integer is an int64 until it is found to be in range. */
  readonly type: FieldType;
  readonly loads: readonly MemoryCode[];
}

/** Reads a value; of an integer the int64. */
export function readText(context: RuleContext, text: Value, to: FieldType): Read {
  const { code } = context;
  const { kernel, numbers, type, loads } = readingOf(to);
  const parts = loads.map((load) => code.local(load.slice(0, 3) as ValueType));
  const isLost = code.i32(0).keep('i32');
  ifAsked(context, text, () => {
    code.i32(castScratchBytes);
    reserve(context);
    const { at } = context.room;
    const pushText = () => code.get(bytesOf(context, text)).get(lengthOf(context, text)).get(at);
    pushText();
    for (const number of numbers) code.i32(number);
    const four = Array<ValueType>(3 + numbers.length).fill('i32');
    code
      .call(context.kernel(kernel, four, 'i32'))
      .op('i32.eqz')
      .set(isLost);
    ifTrue(context, isLost, () => {
      pushText().i32(castCodeOf(type));
      code.call(context.host('readText', ['i32', 'i32', 'i32', 'i32'], 'i32'));
      code.op('i32.eqz').set(isLost);
    });
    for (const [index, part] of parts.entries()) {
      code.get(at).at(loads[index] as MemoryCode, index * 8);
      code.set(part);
    }
  });
  return { parts, isLost };
}

function readingOf(to: FieldType): Reading {
  switch (to.kind) {
    case 'float32':
    case 'float64':
      return { kernel: 'floatOfText', numbers: [], type: { kind: 'float64' }, loads: ['f64.load'] };
    case 'decimal': {
      const numbers = [(to.precision << 8) | to.scale];
      return { kernel: 'decimalOfText', numbers, type: to, loads: ['i64.load', 'i64.load'] };
    }
    case 'date':
      return { kernel: 'dateOfText', numbers: [], type: to, loads: ['i32.load'] };
    case 'bool':
      return { kernel: 'boolOfText', numbers: [], type: to, loads: ['i32.load'] };
    case 'timestamp': {
      const numbers = [Number(to.unit === 'us')];
      return { kernel: 'timestampOfText', numbers, type: to, loads: ['i64.load'] };
    }
    case 'list':
    case 'struct':
      throw new NoRule(`cast of utf8 to ${to.kind}`);
    default:
      return {
        ...{ kernel: 'integerOfText', numbers: [], loads: ['i64.load'] },
        type: { kind: 'int64', js: 'bigint' },
      };
  }
}

/** The text of a value, in the form of bytes. */
export function writtenText(context: RuleContext, input: Value, type: FieldType): Value {
  const { code } = context;
  return madeText(context, type, [input], (at) => {
    code.i32(castTextBytes);
    reserve(context);
    if (formOf(input.type) === 'f64') {
      pushFloatText(context, input, at);
      return;
    }
    const { kernel, parameters } = pushWriting(code, input);
    code.get(at).call(context.kernel(kernel, [...parameters, 'i32'], 'i32'));
  });
}

function pushFloatText(context: RuleContext, { parts }: Value, at: Local): void {
  const { code } = context;
  for (const part of parts) code.get(part);
  code.get(at).call(context.kernel('floatText', ['f64', 'i32'], 'i32'));
  const length = code.keep('i32');
  ifTrue(context, code.get(length).op('i32.eqz').keep('i32'), () => {
    for (const part of parts) code.get(part);
    code
      .get(at)
      .call(context.host('floatText', ['f64', 'i32'], 'i32'))
      .set(length);
  });
  code.get(length);
}

/** Pushes the value with what else the kernel takes, but for where it writes. */
function pushWriting(
  code: CodeBuilder,
  input: Value,
): { kernel: keyof Kernels; parameters: ValueType[] } {
  const { type, parts } = input;
  const pushParts = () => {
    for (const part of parts) code.get(part);
  };
  switch (type.kind) {
    case 'bool':
      pushParts();
      return { kernel: 'boolText', parameters: ['i32'] };
    case 'date':
      pushParts();
      return { kernel: 'dateText', parameters: ['i32'] };
    case 'timestamp':
      pushParts();
      code.i32(Number(type.unit === 'us'));
      return { kernel: 'timestampText', parameters: ['i64', 'i32'] };
    case 'decimal':
      pushParts();
      code.i32(type.scale);
      return { kernel: 'decimalText', parameters: ['i64', 'i64', 'i32'] };
    case 'list':
    case 'struct':
    case 'binary':
      throw new NoRule(`cast of ${type.kind} to utf8`);
    default:
      pushAs(code, input, 'i64');
      return { kernel: 'integerText', parameters: ['i64'] };
  }
}

/** Types that texts are read as in JavaScript, by their number in a program. */
const hostKinds = ['bool', 'int64', 'float64', 'date', 'timestamp', 'decimal'] as const;

function castCodeOf(type: FieldType): number {
  const kind = hostKinds.indexOf(type.kind as (typeof hostKinds)[number]);
  if (type.kind === 'decimal') return kind | (type.precision << 8) | (type.scale << 16);
  return kind | (type.kind === 'timestamp' && type.unit === 'us' ? 1 << 8 : 0);
}

/** The type of a `castCodeOf`. */
export function typeOfCastCode(castCode: number): FieldType {
  const kind = hostKinds[castCode & 0xff] ?? 'bool';
  switch (kind) {
    case 'decimal':
      return { kind, precision: (castCode >> 8) & 0xff, scale: castCode >> 16 };
    case 'timestamp':
      return { kind, unit: castCode >> 8 === 1 ? 'us' : 'ms' };
    case 'int64':
      return { kind, js: 'bigint' };
    default:
      return { kind };
  }
}
