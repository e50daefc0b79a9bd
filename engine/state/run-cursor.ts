/** Run cursor: reads the entries of a run from front to back, a block of it in memory. */
import type { MemoryScope } from '../memory/slot-memory.ts';
import { entryWord, imageBytesOf } from './entry-record.ts';
import type { StateRun } from './state-run.ts';

export class RunCursor {
  /** The address of the entry it is at; 0 behind the last one. */
  record = 0;
  group = 0;
  hash = 0;
  readonly #scope: MemoryScope;
  readonly #run: StateRun;
  #next = 0;
  #handle = 0;
  #end = 0;

  constructor(scope: MemoryScope, run: StateRun) {
    this.#scope = scope;
    this.#run = run;
    this.#load();
  }

  get isDone(): boolean {
    return this.record === 0;
  }

  step(): void {
    this.record += imageBytesOf(this.#scope.memory, this.record);
    if (this.record >= this.#end) this.#load();
    else this.#look();
  }

  close(): void {
    if (this.#handle !== 0) this.#scope.memory.release(this.#handle);
    this.#handle = 0;
    this.record = 0;
  }

  #load(): void {
    this.close();
    if (this.#next === this.#run.blockCount) return;
    const { handle, address, sizeBytes } = this.#run.readBlock(this.#next++);
    this.#handle = handle;
    this.record = address;
    this.#end = address + sizeBytes;
    this.#look();
  }

  #look(): void {
    const { uint32 } = this.#scope.memory;
    this.hash = uint32[this.record >>> 2]!;
    this.group = uint32[(this.record >>> 2) + entryWord.group]!;
  }
}
