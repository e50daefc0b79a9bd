/**
 * Splits of Arrow files: record batches that lie side by side until enough is together, small files
 * together, and a large record batch by its rows.
 *
 *     file     [b0][b1][b2][        b3         ]        other, small files
 *     splits   [   0   ][1][ 2  ][ 3  ][ 4  ]           [      5      ]
 *
 * A record batch that is compressed can't be cut: it has to be unpacked whole. Where files are not to be cut, a split has
 * whole ones.
 *
 * Before: connectors/filesystem/file-enumerator.ts · After: connectors/arrow/arrow-reader.ts
 */

import { batchRowsMax } from '../../engine/batch/batch.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { type FieldType, isSameType } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { SourceFile } from '../filesystem/file-range.ts';
import { splitBytesFor } from '../filesystem/split-planner.ts';
import type { PlannedSplits, SplitRequest } from '../formats/file-format.ts';
import { missingColumnError, typeMismatchError } from './arrow-errors.ts';
import type { ArrowField } from './arrow-fields.ts';
import { type BatchPlace, scanArrowFile } from './arrow-file-scan.ts';
import {
  type ColumnPlan,
  type FilePart,
  type Piece,
  planColumns,
  splitOfParts,
} from './arrow-split.ts';

/** Files whose ends are read at the same time. */
const scansMax = 16;

/** @param declared - The fields of the job's struct, which each file must have. */
export async function planArrowSplits(
  { files, parallelism, disk, isCut }: SplitRequest,
  declared: readonly Field[],
): Promise<PlannedSplits> {
  const target = splitBytesFor(files, parallelism);
  const maker = new SplitMaker({ target, isCut });
  for (let first = 0; first < files.length; first += scansMax) {
    const some = files.slice(first, first + scansMax);
    const scans = await Promise.all(
      some.map((file) =>
        scanArrowFile(disk, file, { asksRows: (bodyBytes) => isCut && bodyBytes > target }),
      ),
    );
    scans.forEach(({ schema, groups }, index) => {
      const file = some[index] as SourceFile;
      const columns = columnsOf(file.path, schema.fields, declared);
      maker.begin(file);
      for (const { dictionaries, batches } of groups) {
        const { path, sizeBytes } = file;
        maker.add({ path, fileSize: sizeBytes, columns, dictionaries }, batches);
      }
    });
  }
  return { splits: maker.finish() };
}

/** The declared columns' places. @throws SCHEMA_MISMATCH */
function columnsOf(
  path: string,
  fields: readonly ArrowField[],
  declared: readonly Field[],
): ColumnPlan[] {
  const plans = planColumns(fields);
  return declared.map(({ name, type }) => {
    const index = fields.findIndex((field) => field.name === name);
    const field = fields[index];
    const plan = plans[index];
    if (field === undefined || plan === undefined) throw missingColumnError(path, name, fields);
    if (field.type === null || !isReadableAs(field.type, type)) {
      throw typeMismatchError(path, type, field);
    }
    return plan;
  });
}

/** The same type, save that parts of the file's may be null where the declared ones may not. */
function isReadableAs(found: FieldType, declared: FieldType): boolean {
  if (found.kind === 'list' && declared.kind === 'list') {
    return isReadableAs(found.item.type, declared.item.type);
  }
  if (found.kind !== 'struct' || declared.kind !== 'struct') return isSameType(found, declared);
  if (found.fields.length !== declared.fields.length) return false;
  return found.fields.every((field, index) => {
    const other = declared.fields[index];
    return other?.name === field.name && isReadableAs(field.type, other.type);
  });
}

/** Puts record batches, or files, together until a split is full. */
class SplitMaker {
  readonly #target: number;
  readonly #isCut: boolean;
  readonly #splits: Split[] = [];
  #parts: FilePart[] = [];
  #bytes = 0;

  constructor({ target, isCut }: { readonly target: number; readonly isCut: boolean }) {
    this.#target = target;
    this.#isCut = isCut;
  }

  begin({ sizeBytes }: SourceFile): void {
    if (!this.#isCut && !this.#hasRoomFor(sizeBytes)) this.#endSplit();
  }

  add(part: Omit<FilePart, 'pieces'>, batches: readonly BatchPlace[]): void {
    let pieces: Piece[] = [];
    const endPart = () => {
      if (pieces.length > 0) this.#parts.push({ ...part, pieces });
      pieces = [];
    };
    for (const batch of batches) {
      for (const piece of this.#piecesOf(batch)) {
        if (this.#isCut && !this.#hasRoomFor(piece.sizeBytes)) {
          endPart();
          this.#endSplit();
        }
        pieces.push(piece);
        this.#bytes += piece.sizeBytes;
      }
    }
    endPart();
  }

  finish(): readonly Split[] {
    this.#endSplit();
    return this.#splits;
  }

  /** The whole batch, or rows of it, in multiples of what a batch of ours has. */
  #piecesOf({ rows, ...place }: BatchPlace): Piece[] {
    const sizeBytes = place.metadataBytes + place.bodyBytes;
    if (rows === null || rows.isCompressed) {
      return [{ ...place, fromRow: 0, toRow: null, sizeBytes }];
    }
    const { count: rowCount } = rows;
    const units = Math.ceil(rowCount / batchRowsMax);
    const count = Math.max(1, Math.min(units, Math.ceil(sizeBytes / this.#target)));
    const rowAt = (index: number) =>
      Math.min(rowCount, Math.floor((units * index) / count) * batchRowsMax);
    return Array.from({ length: count }, (_, index) => ({
      ...place,
      fromRow: rowAt(index),
      toRow: rowAt(index + 1),
      sizeBytes:
        Math.floor((sizeBytes * (index + 1)) / count) - Math.floor((sizeBytes * index) / count),
    }));
  }

  #hasRoomFor(sizeBytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + sizeBytes <= this.#target;
  }

  #endSplit(): void {
    if (this.#parts.length > 0) this.#splits.push(splitOfParts(this.#parts));
    this.#parts = [];
    this.#bytes = 0;
  }
}
