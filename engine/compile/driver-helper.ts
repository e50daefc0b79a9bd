/**
 * Driver helper: the parts of a generated driver that are the same for all of them and off the fast
 * path, or gain nothing from being generated: decoding text, and errors.
 */
import { codeOf } from '../../base/typed-error.ts';
import { type DecodeView, nestedDecoderOf } from '../batch/nested-decode.ts';
import { viewBytes, viewText } from '../batch/utf8-view.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { isoDateOfDays } from '../schema/date-text.ts';
import { decimalTextOf } from '../schema/decimal-text.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import {
  type FunctionName,
  int64NotSafe,
  isOfRecord,
  rowExpired,
  rowJson,
  userFunctionFailed,
  userFunctionResult,
  valueText,
} from './user-error.ts';

/** A record that a function fails on whenever it is called with it, as a dead letter tells of it. */
export interface PoisonLetter {
  readonly origin: string;
  readonly reason: string;
  readonly text: string | null;
}

/** Where such records go. */
export interface PoisonSink {
  add(letter: PoisonLetter): void;
}

/** Calls after the first one that threw. */
const callsAgainMax = 4;

export class DriverHelper {
  /** What `again` answers for a record that was given up. */
  readonly skipped = Symbol('skipped');
  readonly #poison: PoisonSink | null;
  readonly #name: FunctionName;
  readonly #output: Schema;
  readonly #memory: SlotMemory;
  readonly #bytes: Uint8Array;
  readonly #uint32: Uint32Array;

  /** @param poison - Null where the first record that a function throws on ends the job. */
  constructor(
    name: FunctionName,
    memory: SlotMemory,
    output: Schema,
    poison: PoisonSink | null = null,
  ) {
    this.#poison = poison;
    this.#name = name;
    this.#output = output;
    this.#memory = memory;
    this.#bytes = memory.bytes;
    this.#uint32 = memory.uint32;
  }

  /** The string of the utf8 view at `view`. */
  text(view: number): string {
    return viewText(this.#memory, view);
  }

  /** A copy of the bytes of the view at `view`. */
  bytes(view: number): Uint8Array {
    return viewBytes(this.#memory, view).slice();
  }

  /** The ISO text of a day. */
  date(days: number): string {
    return isoDateOfDays(days);
  }

  /** The text of the decimal in the four words from `word` on. */
  decimal(word: number, scale: number): string {
    return decimalTextOf(this.#uint32, word, scale);
  }

  /** Decodes the lists or structs of a field. */
  decoder(type: FieldType, name: string): DecodeView {
    const notSafe = (part: string, value: bigint) => this.notSafe(part, value);
    return nestedDecoderOf(type, { memory: this.#memory, name, notSafe });
  }

  /** Whether two views have the same bytes. */
  sameText(a: number, b: number): boolean {
    const words = this.#uint32;
    const [i, j] = [a >>> 2, b >>> 2];
    const length = words[i]!;
    if (length !== words[j]!) return false;
    if (words[i + 2] !== words[j + 2] || words[i + 3] !== words[j + 3]) return false;
    if (length <= 8) return true;
    const [from, other] = [words[i + 1]!, words[j + 1]!];
    for (let at = 8; at < length; at++) {
      if (this.#bytes[from + at] !== this.#bytes[other + at]) return false;
    }
    return true;
  }

  /** Whether two lists of values, bytes where they are bytes, are the same; NaN is the same as NaN. */
  areKept(a: readonly unknown[], b: readonly unknown[]): boolean {
    return a.every((left, index) => {
      const right = b[index];
      if (!(left instanceof Uint8Array && right instanceof Uint8Array)) {
        return left === right || (Number.isNaN(left) && Number.isNaN(right));
      }
      return left.length === right.length && left.every((byte, at) => byte === right[at]);
    });
  }

  /**
   * Calls a function again for a record on which it threw; what throws each time is a dead letter, and the
   * answer `skipped`. @throws The error, where there is no place for dead letters.
   */
  again<R>(call: (row: R) => unknown, row: R, error: unknown): unknown {
    let last = error;
    for (let count = 0; count < callsAgainMax; count++) {
      if (this.#poison === null || !isOfRecord(last)) break;
      try {
        return call(row);
      } catch (thrown) {
        last = thrown;
      }
    }
    const failed = this.failed(last, row);
    if (this.#poison === null || !isOfRecord(last)) throw failed;
    const { operator } = this.#name;
    const reason = `${failed.message} (${callsAgainMax + 1} calls)`;
    this.#poison.add({ origin: `operator "${operator}"`, reason, text: rowJson(row) });
    return this.skipped;
  }

  failed(error: unknown, subject: unknown): Error {
    return userFunctionFailed(this.#name, error, subject);
  }

  expired(field: string): never {
    throw rowExpired(this.#name, field);
  }

  notSafe(field: string, value: bigint): never {
    throw int64NotSafe(this.#name, field, value);
  }

  /** The outputs that a function returned, as an iterator. */
  iteratorOf(outputs: unknown, subject: unknown): Iterator<unknown> {
    const iterable = outputs as Iterable<unknown> | null | undefined;
    if (typeof outputs !== 'string' && typeof iterable?.[Symbol.iterator] === 'function') {
      return iterable[Symbol.iterator]();
    }
    const isPromise = outputs instanceof Promise;
    const found = isPromise ? 'a promise' : valueText(outputs);
    const advice = isPromise ? 'it must be synchronous' : 'return an array, or write function*';
    throw this.#result(`returned ${found} where an iterable of rows is due: ${advice}`, subject);
  }

  notRow(out: unknown, subject: unknown): never {
    const fields = this.#output.fields.map(({ name }) => `"${name}"`).join(', ');
    throw this.#result(`gave out ${valueText(out)} where a row is due, with ${fields}`, subject);
  }

  /** A filter function must say true or false. */
  notBoolean(answer: unknown, subject: unknown): never {
    const advice = answer === undefined ? ': is a return missing?' : '; compare to make it one';
    throw this.#result(
      `returned ${valueText(answer)} where true or false is due${advice}`,
      subject,
    );
  }

  /** A reduce function gave out a row of another key. */
  keyChanged(subject: unknown): never {
    throw this.#result('changed a key field, so the row would belong to another group', subject);
  }

  /** The error for an output row that the column writers refused. */
  refused(error: unknown, subject: unknown): Error {
    const code = codeOf(error);
    if (code === null) return this.failed(error, subject);
    if (!code.startsWith('VALUE_')) return error as Error;
    const { message } = error as Error;
    return this.#result(`gave out a row that does not fit: ${message}`, subject, error);
  }

  /** The error for a value that is none of the allowed ones. */
  #result(problem: string, subject: unknown, cause?: unknown): Error {
    return userFunctionResult(this.#name, { problem, subject, cause });
  }

  /** The answer of a user's partition function, checked. */
  partition(answer: unknown, count: number, key: unknown): number {
    if (Number.isInteger(answer) && (answer as number) >= 0 && (answer as number) < count) {
      return answer as number;
    }
    throw this.#result(`returned ${valueText(answer)}; partitions are 0 to ${count - 1}`, key);
  }

  /** `values` of one key were asked for a second time, or after the call. */
  valuesUsed(): never {
    throw rowExpired(this.#name, 'values');
  }
}
