/**
 * State as text: a table for people, NDJSON and CSV for programs. Where there are several parts, a table has a title, and
 * a line of NDJSON begins with the name of its part.
 *
 * Before: cli/state/state-reading.ts. After: connectors/program/table-printer.ts, connectors/formats/ndjson-writer.ts.
 */
import { plainCsvStyle } from '../../connectors/formats/csv-options.ts';
import { CsvWriter } from '../../connectors/formats/csv-writer.ts';
import { NdjsonWriter } from '../../connectors/formats/ndjson-writer.ts';
import { OutputBuffer } from '../../connectors/formats/output-buffer.ts';
import type { RowWriter } from '../../connectors/formats/row-writer.ts';
import { TablePrinter } from '../../connectors/program/table-printer.ts';
import { rowsDriver } from '../../engine/compile/rows-driver.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { CliEnv } from '../cli-env.ts';
import type { BatchTaker, KeptPart, StateReading } from './state-reading.ts';

export const stateFormats = ['table', 'ndjson', 'csv'] as const;
export type StateFormat = (typeof stateFormats)[number];

export function isStateFormat(name: unknown): name is StateFormat {
  return stateFormats.some((one) => one === name);
}

interface Printed {
  readonly reading: StateReading;
  readonly parts: readonly KeptPart[];
  readonly format: StateFormat;
}

export function printState(env: CliEnv, { reading, parts, format }: Printed): void {
  for (const part of parts) {
    const title = parts.length > 1 ? part.name : null;
    if (format === 'table') printTable(env, reading, { part, title });
    else printLines(env, reading, { part, title, format });
  }
}

interface PrintedPart {
  readonly part: KeptPart;
  /** Null where there is no other. */
  readonly title: string | null;
}

function printTable(env: CliEnv, reading: StateReading, { part, title }: PrintedPart): void {
  const { stdout } = env;
  const widthMax = stdout.isTerminal ? stdout.columns : Number.POSITIVE_INFINITY;
  let printer: TablePrinter | null = null;
  reading.read(part, {
    begin: (schema) => {
      if (title !== null) stdout.write(`part "${title}"\n`);
      const read = rowsDriver(reading.context.scope.memory, schema, part.name);
      const write = (text: string) => stdout.write(text);
      printer = new TablePrinter({ schema, limit: null, widthMax, read, write });
    },
    take: (batch) => printer?.add(batch),
  });
  (printer as TablePrinter | null)?.end();
}

function printLines(
  env: CliEnv,
  reading: StateReading,
  { part, title, format }: PrintedPart & { readonly format: StateFormat },
): void {
  const lines = new LineTaker(env, reading, { title, format });
  try {
    reading.read(part, lines);
  } finally {
    lines.close();
  }
}

class LineTaker implements BatchTaker {
  readonly #env: CliEnv;
  readonly #buffer: OutputBuffer;
  readonly #decoder = new TextDecoder();
  readonly #format: StateFormat;
  /** What a line of NDJSON begins with. */
  readonly #start: string;
  #text = '';
  #writer: RowWriter | null = null;

  constructor(
    env: CliEnv,
    { context }: StateReading,
    { title, format }: { readonly title: string | null; readonly format: StateFormat },
  ) {
    this.#env = env;
    this.#format = format;
    this.#start = title === null ? '{' : `{"part":${JSON.stringify(title)},`;
    this.#buffer = new OutputBuffer(context.scope, (bytes) => {
      this.#text += this.#decoder.decode(bytes, { stream: true });
    });
  }

  begin(schema: Schema): void {
    this.#writer =
      this.#format === 'csv'
        ? new CsvWriter(schema, plainCsvStyle, this.#buffer)
        : new NdjsonWriter(schema, this.#buffer);
    this.#writer.writeHeader();
  }

  take(batch: Parameters<BatchTaker['take']>[0]): void {
    this.#writer?.writeRows(batch);
    this.#send();
  }

  close(): void {
    this.#send();
    this.#buffer.close();
  }

  #send(): void {
    this.#buffer.flush();
    const text = this.#text;
    this.#text = '';
    // Braces within a value never follow a line break: JSON has none in its texts.
    const isPlain = this.#format === 'csv' || this.#start === '{';
    this.#env.stdout.write(isPlain ? text : text.replaceAll(/^\{/gm, () => this.#start));
  }
}
