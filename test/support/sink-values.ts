/** What the text formats should write for a value, said with JavaScript's own means. */
import type { FieldType } from '../../engine/schema/field-type.ts';
import type { BatchCase } from './batches.ts';

const dateMsMax = 864n * 10n ** 13n;

/** The case with values that have a text in every format: finite numbers, times that are dates. */
export function writable(spec: BatchCase): BatchCase {
  const types = spec.schema.fields.map((field) => field.type);
  const rows = spec.rows.map((row) => row.map((value, at) => tamed(value, types[at])));
  return { ...spec, rows };
}

function tamed(value: unknown, type: FieldType | undefined): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return 0.1;
  if (typeof value !== 'bigint' || type?.kind !== 'timestamp') return value;
  return value % (type.unit === 'ms' ? dateMsMax : dateMsMax * 1000n);
}

/** The text of a value that is not null, without quotes. */
export function expectedText(value: unknown, type: FieldType | undefined): string {
  if (typeof value !== 'bigint' || type?.kind !== 'timestamp') return String(value);
  if (type.unit === 'ms') return new Date(Number(value)).toISOString();
  const micros = ((value % 1000n) + 1000n) % 1000n;
  const ms = new Date(Number((value - micros) / 1000n)).toISOString().slice(0, -1);
  return `${ms}${String(micros).padStart(3, '0')}Z`;
}

/** A collector of the bytes that a buffer sends. */
export function collector() {
  const pieces: Uint8Array[] = [];
  return {
    send: (bytes: Uint8Array) => pieces.push(bytes.slice()),
    text: () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(concat(pieces)),
  };
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
