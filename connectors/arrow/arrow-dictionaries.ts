/**
 * The dictionaries of a file: texts that columns choose from by index, as views in the slot's memory.
 * They are read when the first column wants one, and stay until the file is closed; batches retain
 * what they use.
 */
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { Field } from '../../engine/schema/field-type.ts';
import { type OpenFile, openDictionary } from './arrow-body.ts';
import type { Views } from './arrow-column-source.ts';
import { readColumn } from './arrow-columns.ts';
import { corruptError, unsupportedError } from './arrow-errors.ts';
import type { MessagePlace } from './arrow-messages.ts';
import type { ColumnPlan } from './arrow-split.ts';
import { readViewBuffers } from './arrow-texts.ts';

export class ArrowDictionaries {
  readonly #context: SlotContext;
  readonly #file: OpenFile;
  readonly #places: readonly MessagePlace[];
  readonly #read = new Map<number, Views>();

  constructor(context: SlotContext, file: OpenFile, places: readonly MessagePlace[]) {
    this.#context = context;
    this.#file = file;
    this.#places = places;
  }

  /** The texts of a column's dictionary. @throws ARROW_CORRUPT, TEXT_INVALID_UTF8 */
  viewsOf(field: Field, plan: ColumnPlan): Views {
    const { dictionary } = plan;
    if (dictionary === null) throw corruptError(this.#file.path, 'has no dictionary');
    const known = this.#read.get(dictionary.id);
    if (known !== undefined) return known;
    const parts: Views[] = [];
    try {
      for (const place of this.#places) {
        const { id, isDelta, values, body } = openDictionary(this.#context, this.#file, place);
        if (id !== dictionary.id) continue;
        if (!isDelta) this.#release(parts.splice(0));
        const column = {
          ...plan,
          encoding: dictionary.encoding,
          node: 0,
          buffer: 0,
          viewsBefore: 0,
        };
        parts.push(this.#readPart(field, { ...column, dictionary: null }, body, values.rowCount));
      }
      const views = this.#joined(parts);
      this.#read.set(dictionary.id, views);
      return views;
    } catch (error) {
      this.#release(parts);
      throw error;
    }
  }

  close(): void {
    this.#release([...this.#read.values()]);
    this.#read.clear();
  }

  #readPart(field: Field, plan: ColumnPlan, body: Body, count: number): Views {
    const context = this.#context;
    const blocks: BlockHandle[] = [];
    const temporary: BlockHandle[] = [];
    try {
      if ((body.layout.nullCounts[0] ?? 0) > 0) {
        const hint = 'Put the nulls into the column: in pyarrow, column.cast and encode it again.';
        throw unsupportedError(body.path, 'has a null in a dictionary', hint);
      }
      const viewBuffersOf = () => readViewBuffers({ body, plan, context }, temporary);
      const source = { context, body, field, plan, dictionary: null, viewBuffersOf, blocks };
      const { values } = readColumn(source, { from: 0, count });
      return { views: values, count, blocks };
    } catch (error) {
      this.#releaseBlocks(blocks);
      throw error;
    } finally {
      body.close();
      this.#releaseBlocks(temporary);
    }
  }

  /** The views of several parts, one after the other. */
  #joined(parts: readonly Views[]): Views {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const { scope } = this.#context;
    const block = scope.allocate(count * utf8ViewSize);
    let at = addressOf(block);
    for (const part of parts) {
      const end = part.views + part.count * utf8ViewSize;
      scope.memory.bytes.copyWithin(at, part.views, end);
      at += part.count * utf8ViewSize;
    }
    return {
      views: addressOf(block),
      count,
      blocks: [block, ...parts.flatMap((part) => part.blocks)],
    };
  }

  #release(parts: readonly Views[]): void {
    for (const { blocks } of parts) this.#releaseBlocks(blocks);
  }

  #releaseBlocks(blocks: readonly BlockHandle[]): void {
    for (const block of blocks) this.#context.scope.memory.release(block);
  }
}

type Body = ReturnType<typeof openDictionary>['body'];
