/**
 * Goal: whatever several writers, recoveries and datanodes do in whatever order, with repeats, no promised byte is lost, a
 * file has one writer, and the edits make the same namespace again.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyEdit } from '../../../../dfs/namenode/namespace/apply-edit.ts';
import { setQuota } from '../../../../dfs/namenode/operations/attributes.ts';
import {
  updateBlockForPipeline,
  updatePipeline,
} from '../../../../dfs/namenode/operations/pipeline.ts';
import {
  commitBlockSynchronization,
  recoverLease,
} from '../../../../dfs/namenode/operations/recover.ts';
import { append, truncate } from '../../../../dfs/namenode/operations/reopen.ts';
import {
  abandonBlock,
  addBlock,
  complete,
  fsync,
} from '../../../../dfs/namenode/operations/write.ts';
import type { ExtendedBlock } from '../../../../dfs/protocol/block.ts';
import { dumpNamespace } from '../../../support/namespace-dump.ts';
import { NamespaceScene } from '../../../support/namespace-scene.ts';
import { anywhere, WriterScene } from '../../../support/writer-scene.ts';

const path = '/f';

/** A client as it sees its file; it may be wrong, as clients are. */
interface Writer {
  readonly clientName: string;
  block: ExtendedBlock | null;
}

/** Bytes of the file that nobody may lose: acknowledged by fsync or close, and not cut since. */
class Promises {
  bytes = 0;
}

/** What answers may say. */
interface Told {
  readonly block?: { readonly block: ExtendedBlock };
  readonly lastBlock?: { readonly block: ExtendedBlock } | null;
  readonly isComplete?: boolean;
}

type Step = readonly [string, number, number];
const kinds = [
  ...['add', 'add', 'fsync', 'complete', 'complete', 'abandon', 'pipeline', 'append', 'append'],
  ...['truncate', 'recover', 'sync', 'sync', 'report', 'report', 'away'],
];

class Run {
  readonly scene = new WriterScene();
  readonly promises = new Promises();
  readonly #writers: Writer[] = ['one', 'two'].map((clientName) => ({ clientName, block: null }));
  #fileId: number;

  constructor() {
    this.#fileId = this.scene.file(path).fileId;
    this.scene.edits.length = 0;
    this.scene.run(setQuota, { path: '/', namesMax: 100, spaceBytesMax: 10_000 });
    const open = { op: 'open', path, clientName: 'one' } as const;
    applyEdit(this.scene.namespace, open);
    this.scene.edits.push(open);
  }

  step([kind, who, amount]: Step): void {
    const writer = this.#writers[who % 2];
    if (writer === undefined) return;
    // Every call twice: an answer may be lost.
    const work = this.#workOf(kind, writer, amount);
    const first = work?.();
    if (amount % 3 === 0 && ['add', 'fsync', 'complete', 'abandon'].includes(kind)) {
      expect(work?.(), kind).toEqual(first);
    }
    this.#learn(kind, writer, amount, first);
  }

  #workOf(kind: string, writer: Writer, amount: number): (() => unknown) | null {
    const { scene } = this;
    const as = { path, clientName: writer.clientName, fileId: this.#fileId };
    const block = writer.block && { ...writer.block, lengthBytes: amount };
    switch (kind) {
      case 'add':
        return () => scene.attempt(addBlock, { ...as, previous: block, ...anywhere });
      case 'fsync':
        return block && (() => scene.attempt(fsync, { ...as, block }));
      case 'complete':
        return () => scene.attempt(complete, { ...as, last: block });
      case 'abandon':
        return block && (() => scene.attempt(abandonBlock, { ...as, block }));
      case 'append':
        return () => scene.attempt(append, { ...as, newBlock: amount > 50 });
      case 'truncate':
        return () => scene.attempt(truncate, { ...as, newLengthBytes: amount * 3 });
      case 'recover':
        return () => scene.attempt(recoverLease, as);
      default:
        return null;
    }
  }

  #learn(kind: string, writer: Writer, amount: number, answer: unknown): void {
    const { promises } = this;
    if (answer !== null && typeof answer === 'object') {
      const { block, lastBlock, isComplete } = answer as Told;
      if (kind === 'add') writer.block = block?.block ?? null;
      if (kind === 'append') writer.block = lastBlock?.block ?? null;
      if (kind === 'abandon') writer.block = null;
      if (kind === 'truncate') promises.bytes = Math.min(promises.bytes, amount * 3);
      if (kind === 'fsync' || isComplete === true) {
        promises.bytes = Math.max(promises.bytes, this.lengthBytes);
      }
    }
    if (kind === 'pipeline' && writer.block !== null) this.#renew(writer, writer.block);
    this.#move(kind, amount);
  }

  /** What datanodes do. */
  #move(kind: string, amount: number): void {
    const { scene } = this;
    if (kind === 'sync') this.#sync(amount);
    if (kind === 'away' && amount % 4 === 0) scene.locations.clear();
    if (kind !== 'report') return;
    for (const { block } of scene.blocksOf(path)) scene.report(block);
  }

  #renew(writer: Writer, oldBlock: ExtendedBlock): void {
    const { scene } = this;
    const as = { path, clientName: writer.clientName, fileId: this.#fileId };
    const given = scene.attempt(updateBlockForPipeline, { ...as, block: oldBlock });
    if (typeof given === 'string') return;
    const newBlock = (given as { block: { block: ExtendedBlock } }).block.block;
    const locations = scene.locationsOf(newBlock.blockId);
    const made = scene.attempt(updatePipeline, { ...as, oldBlock, newBlock, locations });
    if (typeof made !== 'string') writer.block = newBlock;
  }

  /** Of any recovery there ever was, the newest included, with any length. */
  #sync(amount: number): void {
    const { scene } = this;
    const last = scene.blocksOf(path).at(-1);
    if (last === undefined) return;
    const newest = scene.recoveryIdOf(last.block.blockId) ?? 0;
    const recoveryId = amount % 4 === 0 ? newest - 1 : newest;
    const newLengthBytes = amount % 5 === 0 ? last.block.lengthBytes : amount;
    scene.attempt(commitBlockSynchronization, {
      ...{ datanodeId: 'a', session: 1, block: last.block, recoveryId, newLengthBytes },
      locations: [],
    });
  }

  get lengthBytes(): number {
    return this.scene.namespace.lengthOf(
      this.scene.namespace.openFiles.get(this.#fileId)?.row ?? 1,
    );
  }
}

test('no promised byte is lost, and the edits make it all again', () => {
  const step = fc.tuple(fc.constantFrom(...kinds), fc.nat(1), fc.integer({ min: 0, max: 100 }));
  const outcomes = { closed: 0, blocks: 0, promised: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
      const run = new Run();
      for (const one of steps) {
        run.step(one);
        expect(run.lengthBytes, JSON.stringify(one)).toBeGreaterThanOrEqual(run.promises.bytes);
      }
      const replayed = new NamespaceScene();
      replayed.file(path);
      replayed.run(setQuota, { path: '/', namesMax: 100, spaceBytesMax: 10_000 });
      const edits = JSON.parse(JSON.stringify(run.scene.edits));
      for (const edit of edits) applyEdit(replayed.namespace, edit);
      const dump = dumpNamespace(run.scene.namespace);
      expect(dumpNamespace(replayed.namespace)).toEqual(dump);
      const { quota, counted } = dump.byPath['/'] as { quota: { used: object }; counted: object };
      expect(quota.used).toEqual(counted);
      outcomes.closed += run.scene.namespace.openFiles.size === 0 ? 1 : 0;
      outcomes.blocks += run.scene.namespace.blocks.count;
      outcomes.promised += run.promises.bytes > 0 ? 1 : 0;
    }),
    { numRuns: 300 },
  );
  // The runs come to something.
  expect(outcomes.closed).toBeGreaterThan(50);
  expect(outcomes.blocks).toBeGreaterThan(300);
  expect(outcomes.promised).toBeGreaterThan(60);
});
