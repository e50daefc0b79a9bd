/**
 * Pane split: which rows of a batch lie in which pane.
 *
 *     batch ─▶ least and largest time ──one pane──▶ the batch as it is        nearly always
 *                    └─several──▶ a pane per row ─▶ rows brought together by pane ─▶ a selection for each
 *
 * Rows without a time come as a part of their own. The first kernel call is all that a batch of one pane costs.
 */
import { assert } from '../../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../../batch/batch.ts';
import { GroupTable } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { OperatorContext } from '../operator.ts';
import { floorTo, type WindowPanes } from './window-panes.ts';
import type { ZoneClock } from './zone-clock.ts';

/** Rows of one pane, or those without a time. */
export interface PaneRows {
  /** Null: the rows have no time. */
  readonly pane: number | null;
  /** Owned by who is given it. */
  readonly batch: Batch;
}

export interface PaneSplitOptions {
  /** Place of the time among the columns; -1 where all rows are in one pane. */
  readonly column: number;
  readonly panes: WindowPanes;
  readonly clock: ZoneClock;
}

const boundsBytes = 16;
const listBytes = batchRowsMax * 4;

export class PaneSplit {
  readonly #context: OperatorContext;
  readonly #options: PaneSplitOptions;
  readonly #bounds: BlockHandle;
  /** Rows by pane; made for the first batch of several. */
  #table: GroupTable | null = null;
  /** Starts of panes, numbers of rows, and where panes begin. */
  #scratch: BlockHandle = 0;

  constructor(context: OperatorContext, options: PaneSplitOptions) {
    this.#context = context;
    this.#options = options;
    this.#bounds = context.scope.allocate(boundsBytes);
  }

  /** The parts of a batch, in the order in which their first rows come. */
  split(batch: Batch): PaneRows[] {
    if (batch.rowCount === 0) return [];
    const { panes, column: place } = this.#options;
    if (place < 0) return [{ pane: 0, batch: batch.retain() }];
    const column = this.#timeOf(batch);
    const timed = this.#readBounds(batch, column);
    if (timed === 0) return [{ pane: null, batch: batch.retain() }];
    const hasAllTimes = timed === batch.rowCount;
    if (panes.paneMs === 0 && hasAllTimes) return [{ pane: 0, batch: batch.retain() }];
    const [first, last] = this.#paneBounds();
    const isOne = first === last && hasAllTimes;
    return isOne ? [{ pane: first, batch: batch.retain() }] : this.#divide(batch, column);
  }

  close(): void {
    this.#table?.close();
    const { memory } = this.#context.scope;
    if (this.#scratch !== 0) memory.release(this.#scratch);
    memory.release(this.#bounds);
  }

  #timeOf(batch: Batch): Column {
    const column = batch.columns[this.#options.column];
    assert(column !== undefined, 'the event time is in the batch');
    return column;
  }

  /** How many rows have a time; the least and the largest are at `#bounds` then. */
  #readBounds({ selection, rowCount }: Batch, { type, values, validity }: Column): number {
    const { timeBounds } = this.#context.kernels;
    const bounds = addressOf(this.#bounds);
    return timeBounds(values, validity, selection, rowCount, unitsPerMsOf(type), bounds);
  }

  #paneBounds(): readonly [first: number, last: number] {
    const { panes, clock } = this.#options;
    if (panes.paneMs === 0) return [0, 0];
    const { float64 } = this.#context.scope.memory;
    const at = addressOf(this.#bounds) >>> 3;
    const [least = 0, most = 0] = [float64[at], float64[at + 1]];
    // By a clock that is set back, the pane of a moment between may be another one.
    if (clock.shiftOf(least) !== clock.shiftOf(most)) return [0, 1];
    const paneOf = (moment: number) => {
      return floorTo(clock.localOf(moment), panes.paneMs, panes.offsetMs);
    };
    return [paneOf(least), paneOf(most)];
  }

  #divide(batch: Batch, { type, values, validity }: Column): PaneRows[] {
    const { kernels, scope } = this.#context;
    const { panes, clock } = this.#options;
    const { selection, rowCount } = batch;
    const { starts, numbers, places } = this.#room();
    const units = unitsPerMsOf(type);
    // The one pane of a global window is 0 wherever a row lies.
    const paneMs = panes.paneMs === 0 ? Number.MAX_SAFE_INTEGER : panes.paneMs;
    const offset = panes.paneMs === 0 ? -(2 ** 52) : panes.offsetMs;
    kernels.paneStarts(
      ...([values, validity, selection, rowCount, units, paneMs, offset] as const),
      ...clock.shiftsAt(),
      starts,
    );
    const count = this.#number({ values: starts, validity }, batch, { numbers, counts: places });
    const block = scope.allocate(rowCount * 4);
    const rows = addressOf(block);
    kernels.startsOfCounts(places, count, 0);
    kernels.placeByGroup(numbers, selection, 0, rowCount, 0, places, rows);
    try {
      return this.#partsOf(batch, { validity, starts, places, rows, count, block });
    } finally {
      scope.memory.release(block);
    }
  }

  /** Numbers the panes by the rows that come first; answers how many there are. */
  #number(
    key: { readonly values: number; readonly validity: number },
    { selection, rowCount }: Batch,
    numbering: { readonly numbers: number; readonly counts: number },
  ): number {
    const { scope, kernels } = this.#context;
    const options = { keyForm: 'int64', accumulators: [], isNumbered: true } as const;
    this.#table ??= new GroupTable(scope, kernels, { ...options, slotsFirst: 64 });
    const table = this.#table;
    table.clear();
    const rows = { key, inputs: [], selection, rowCount, numbering };
    for (let row = 0; row < rowCount; ) {
      row = table.addRows(rows, row);
      while (table.isGrowing) table.grow();
    }
    return table.groupCount;
  }

  #partsOf(
    batch: Batch,
    from: {
      readonly validity: number;
      readonly starts: number;
      readonly places: number;
      readonly rows: number;
      readonly count: number;
      readonly block: BlockHandle;
    },
  ): PaneRows[] {
    const { memory } = batch;
    const { validity, starts, places, rows, count, block } = from;
    const parts: PaneRows[] = [];
    let begin = 0;
    for (let number = 0; number < count; number++) {
      // Placing has moved each start to the end.
      const end = memory.uint32[(places >>> 2) + number] ?? 0;
      const row = memory.uint32[(rows >>> 2) + begin] ?? 0;
      const hasTime = validity === 0 || isSet(memory.bytes, validity, row);
      const start = memory.float64[(starts >>> 3) + row] ?? 0;
      const pane = this.#options.panes.paneMs === 0 ? 0 : start;
      memory.retain(block);
      const selection = rows + begin * 4;
      const part = batch.derive({ rowCount: end - begin, selection, blocks: [block] });
      parts.push({ pane: hasTime ? pane : null, batch: part });
      begin = end;
    }
    return parts;
  }

  #room() {
    const sizeBytes = batchRowsMax * 8 + 2 * listBytes;
    if (this.#scratch === 0) this.#scratch = this.#context.scope.allocate(sizeBytes);
    const starts = addressOf(this.#scratch);
    const numbers = starts + batchRowsMax * 8;
    return { starts, numbers, places: numbers + listBytes };
  }
}

function isSet(bytes: Uint8Array, bitmap: number, row: number): boolean {
  return (((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1;
}

export function unitsPerMsOf(type: Column['type']): number {
  return type.kind === 'timestamp' && type.unit === 'us' ? 1000 : 1;
}
