/**
 * The edit log: transactions one behind the other, with group commit. What comes while a group is being written waits and is
 * written with the next: one write and one fsync serve them all.
 *
 *     append 7 ──▶ writing ─────────────▶ durable up to 7
 *     append 8 ──▶      waits │
 *     append 9 ──▶      waits │─────────▶ writing 8 and 9 ──▶ durable up to 9
 *
 * The namespace has an edit before the disk has; nobody is answered by it before `durable`. When a write or an fsync fails, memory is
 * ahead of what can be promised and nobody can say what is on disk: the process ends, and the next one reads what is there.
 *
 * Before: dfs/namenode/log/namespace-store.ts. After: dfs/namenode/log/edit-segment.ts.
 */
import type { FileId } from '../../../base/env/disk.ts';
import type { Env } from '../../../base/env/env.ts';
import {
  encodeSegmentHead,
  encodeTransactions,
  segmentName,
  type Transaction,
} from './edit-segment.ts';

export type LogEnv = Pick<Env, 'disk' | 'process' | 'observe'>;

/** Exit code of a process that can no longer say what is on its disk. */
export const exitCodeDiskInDoubt = 70;

/** Transactions of one group; above it the rest waits for the next one. */
const groupTransactionsMax = 4_096;

export class EditLog {
  readonly #env: LogEnv;
  readonly #folder: string;
  readonly #clusterId: string;
  #file: FileId = -1;
  #sizeBytes = 0;
  #durable: number;
  #waiting: Transaction[] = [];
  /** Of the group that is being written. */
  #writingCount = 0;
  #isWriting = false;
  readonly #listeners: { readonly position: number; readonly tell: () => void }[] = [];
  #between: (() => Promise<void>)[] = [];

  private constructor(env: LogEnv, place: LogPlace) {
    this.#env = env;
    this.#folder = place.folder;
    this.#clusterId = place.clusterId;
    this.#durable = place.after;
  }

  /** Begins a segment behind a position; what is in a file of its name is written over. */
  static async start(env: LogEnv, place: LogPlace): Promise<EditLog> {
    const log = new EditLog(env, place);
    await log.#startSegment();
    return log;
  }

  /** Of the last transaction, which may not be durable yet. */
  get position(): number {
    return this.#durable + this.#writingCount + this.#waiting.length;
  }

  /** Adds the edits of one operation. */
  append(transaction: Transaction): void {
    this.#waiting.push(transaction);
    void this.#pump();
  }

  /** Resolves when all up to this position is durable. */
  durable(position: number): Promise<void> {
    if (position <= this.#durable) return Promise.resolve();
    return new Promise((tell) => {
      this.#listeners.push({ position, tell });
    });
  }

  /** Ends the segment: what is appended from about now on is in another one. */
  roll(): Promise<void> {
    return this.#whenIdle(async () => {
      const before = this.#file;
      await this.#startSegment();
      await this.#env.disk.close(before);
    });
  }

  close(): Promise<void> {
    return this.#whenIdle(() => this.#env.disk.close(this.#file));
  }

  #whenIdle(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#between.push(() => work().then(resolve, reject));
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#between.length > 0 || this.#waiting.length > 0) {
      for (const work of this.#between.splice(0)) await work();
      if (this.#waiting.length > 0) await this.#writeGroup();
    }
    this.#isWriting = false;
  }

  async #writeGroup(): Promise<void> {
    const group = this.#waiting.splice(0, groupTransactionsMax);
    this.#writingCount = group.length;
    const line = encodeTransactions(this.#durable, group);
    await this.#orExit(async () => {
      await this.#env.disk.write(this.#file, line, this.#sizeBytes);
      await this.#env.disk.fsync(this.#file);
    });
    this.#sizeBytes += line.length;
    this.#durable += group.length;
    this.#writingCount = 0;
    // Positions were asked for in their order.
    let told = 0;
    for (const { position, tell } of this.#listeners) {
      if (position > this.#durable) break;
      tell();
      told++;
    }
    this.#listeners.splice(0, told);
  }

  async #startSegment(): Promise<void> {
    const { disk } = this.#env;
    await this.#orExit(async () => {
      const head = encodeSegmentHead(this.#clusterId, this.#durable);
      this.#file = await disk.open(`${this.#folder}/${segmentName(this.#durable)}`, 'replace');
      await disk.write(this.#file, head, 0);
      await disk.fsync(this.#file);
      await disk.syncDir(this.#folder);
      this.#sizeBytes = head.length;
    });
  }

  async #orExit(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const folder = this.#folder;
      this.#env.observe.event('namenode.disk-in-doubt', { folder, error: String(error) });
      this.#env.process.exit(exitCodeDiskInDoubt);
    }
  }
}

export interface LogPlace {
  readonly folder: string;
  readonly clusterId: string;
  readonly after: number;
}
