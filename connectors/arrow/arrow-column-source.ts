/** What columns of Arrow files are read with: the body, the place of the column in it, and what it shares. */
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { Field } from '../../engine/schema/field-type.ts';
import type { ArrowBody } from './arrow-body.ts';
import type { ColumnPlan } from './arrow-split.ts';

/** Views that a column chooses from: a dictionary's. */
export interface Views {
  readonly views: number;
  readonly count: number;
  /** Retained by every batch that uses them. */
  readonly blocks: readonly BlockHandle[];
}

/** Buffers of bytes that views of Arrow show into. */
export interface ViewBuffers {
  /** Address of u32 address and u32 size of each. */
  readonly table: number;
  readonly count: number;
  readonly blocks: readonly BlockHandle[];
}

/** Rows of a record batch. */
export interface Rows {
  readonly from: number;
  readonly count: number;
}

/** What a column is read with. */
export interface ColumnSource {
  readonly context: SlotContext;
  readonly body: ArrowBody;
  readonly field: Field;
  readonly plan: ColumnPlan;
  /** Of a dictionary-encoded column. */
  readonly dictionary: Views | null;
  /** Buffers of a column of views, this one or a part of it. */
  readonly viewBuffersOf: (plan: ColumnPlan) => ViewBuffers;
  /** Blocks of the batch; those added are the batch's. */
  readonly blocks: BlockHandle[];
}

/** Offsets of texts in the slot's memory: `count + 1` int32. */
export interface TextOffsets {
  readonly address: number;
  /** Where in the buffer of bytes the first text starts, and what its offset says. */
  readonly start: number;
  readonly base: number;
}
