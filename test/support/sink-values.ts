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
  if (type?.kind === 'list' && Array.isArray(value)) {
    return value.map((item) => tamed(item, type.item.type));
  }
  if (type?.kind === 'struct' && value !== null) {
    const parts = type.fields.map(({ name, type: part }) => [
      name,
      tamed((value as Record<string, unknown>)[name], part),
    ]);
    return Object.fromEntries(parts);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return 0.5;
  if (type?.kind !== 'timestamp') return value;
  if (typeof value === 'number') return value % Number(dateMsMax);
  if (typeof value !== 'bigint') return value;
  return value % (type.unit === 'ms' ? dateMsMax : dateMsMax * 1000n);
}

/** The text of a value that is not null, without quotes. */
export function expectedText(value: unknown, type: FieldType | undefined): string {
  if (type?.kind === 'list' || type?.kind === 'struct') return expectedJson(value, type);
  if (type?.kind === 'float32') return shortestFloat32(value as number);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (type?.kind !== 'timestamp') return String(value);
  if (type.unit === 'ms') return new Date(Number(value)).toISOString();
  const time = value as bigint;
  const micros = ((time % 1000n) + 1000n) % 1000n;
  const ms = new Date(Number((time - micros) / 1000n)).toISOString().slice(0, -1);
  return `${ms}${String(micros).padStart(3, '0')}Z`;
}

/** A value as JSON, with integers and decimals in full. */
export function expectedJson(value: unknown, type: FieldType): string {
  if (value === null) return 'null';
  if (type.kind === 'list') {
    return `[${(value as unknown[]).map((item) => expectedJson(item, type.item.type)).join()}]`;
  }
  if (type.kind === 'struct') {
    const parts = type.fields.map(
      ({ name, type: part }) =>
        `${JSON.stringify(name)}:${expectedJson((value as Record<string, unknown>)[name], part)}`,
    );
    return `{${parts.join()}}`;
  }
  const text = expectedText(value, type);
  const isText = ['utf8', 'timestamp', 'date', 'binary'].includes(type.kind);
  return isText ? JSON.stringify(text) : text;
}

/** The first of all texts, by their length, that reads back as the same float32. */
function shortestFloat32(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const texts = [6, 7, 8, 9].map((digits) => String(Number(value.toPrecision(digits))));
  return texts.find((text) => Math.fround(Number(text)) === value) ?? String(value);
}

/** The row with 0 for -0, which text has no form for. */
export function withoutMinusZero(row: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'number' ? value + 0 : value,
  ]);
  return Object.fromEntries(entries);
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
