/**
 * The format `columnar`: Parquet or Arrow, whichever a file's name says, for jobs that do not mind. Each kind
 * plans splits of its own files; a split remembers the kind, and its reader is made when the first of
 * them comes.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import {
  type DynamicFilter,
  type ReadResult,
  type Skipped,
  type SourceStatistics,
  type Split,
  type SplitReader,
  sumOfSkipped,
} from '../../engine/contracts/source.ts';
import { arrowFormat } from '../arrow/arrow-format.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';
import { parquetFormat } from '../parquet/parquet-format.ts';
import type { FileFormat } from './file-format.ts';

type ReadFormat = FileFormat & Required<Pick<FileFormat, 'planSplits' | 'pathsOf' | 'reader'>>;

export const columnarFormat: FileFormat = {
  kind: 'columnar',
  planSplits: async (request) => {
    const splits: Split[] = [];
    const skipped: Skipped[] = [];
    for (const [kind, format] of formats) {
      const files = request.files.filter(({ path }) => kindOf(path) === kind);
      if (files.length === 0) continue;
      const found = await format.planSplits({ ...request, files });
      const own = found.splits;
      splits.push(...own.map((split) => ({ ...split, payload: { kind, split: split.payload } })));
      if (found.skipped !== undefined) skipped.push(found.skipped);
    }
    return { splits, skipped: sumOfSkipped(skipped) };
  },
  pathsOf: (payload) => {
    const { kind, split } = payloadOf(payload);
    return formats.get(kind)?.pathsOf(split) ?? [];
  },
  statistics: async (request) => {
    const { statistics } = formats.get(kindOf(request.file.path)) ?? arrowFormat;
    return (await statistics?.(request)) ?? nothingKnown;
  },
  reader: (options, context) => new ColumnarReader(options, context),
};

const formats: ReadonlyMap<string, ReadFormat> = new Map([
  ['parquet', parquetFormat as ReadFormat],
  ['arrow', arrowFormat as ReadFormat],
]);

const nothingKnown: SourceStatistics = { rowCount: null, sizeBytes: null, columns: {} };

/** Files that are not called Parquet are Arrow's, which says so where they are not. */
function kindOf(path: string): string {
  return path.toLowerCase().endsWith('.parquet') ? 'parquet' : 'arrow';
}

/** What a split of this format carries. */
interface Payload {
  readonly kind: string;
  readonly split: Json;
}

function payloadOf(payload: Json): Payload {
  return payload as unknown as Payload;
}

class ColumnarReader implements SplitReader {
  readonly #options: FormatOptions;
  readonly #context: SlotContext;
  readonly #readers = new Map<string, SplitReader>();
  #current: SplitReader | null = null;
  #filters: readonly DynamicFilter[] = [];

  constructor(options: FormatOptions, context: SlotContext) {
    this.#options = options;
    this.#context = context;
  }

  get bytesRead(): number {
    return [...this.#readers.values()].reduce((sum, reader) => sum + reader.bytesRead, 0);
  }

  get skipped(): Skipped {
    return sumOfSkipped([...this.#readers.values()].flatMap(({ skipped }) => skipped ?? []));
  }

  narrow(filters: readonly DynamicFilter[]): void {
    this.#filters = filters;
  }

  open(split: Split): void {
    const { kind, split: payload } = payloadOf(split.payload);
    let reader = this.#readers.get(kind);
    if (reader === undefined) {
      reader = formats.get(kind)?.reader(this.#options, this.#context);
      assert(reader !== undefined, 'a split is of a kind that was planned');
      this.#readers.set(kind, reader);
      if (this.#filters.length > 0) reader.narrow?.(this.#filters);
    }
    this.#current = reader;
    reader.open({ ...split, payload });
  }

  read(): ReadResult {
    return this.#opened.read();
  }

  snapshot(): Json {
    const position = this.#opened.snapshot?.();
    assert(position !== undefined, 'readers of files can go on within a split');
    return position;
  }

  takeDeadLetters(): Batch | null {
    return this.#opened.takeDeadLetters?.() ?? null;
  }

  position(): string {
    return this.#opened.position();
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
  }

  get #opened(): SplitReader {
    assert(this.#current !== null, 'a split is opened before it is read');
    return this.#current;
  }
}
