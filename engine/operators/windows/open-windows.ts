/**
 * Open windows: of each what keeps its rows, with a part of the operator's memory and spill files of its own.
 *
 * After: engine/operators/windows/window-function-operator.ts, ordered-window-operator.ts
 */
import { assert } from '../../../base/assert.ts';
import type { IdleAnswer, OperatorContext } from '../operator.ts';

/** Of the operator's share: what the rows of one window may hold. Two are open at a time, mostly. */
const windowPart = 1 / 4;

export class OpenWindows<W extends { close(): void }> {
  readonly #context: OperatorContext;
  readonly #open: (context: OperatorContext) => W;
  readonly #windows = new Map<number, W>();
  #openedCount = 0;

  /** @param open - Makes what keeps the rows of a window, in the window's own part of the memory. */
  constructor(context: OperatorContext, open: (context: OperatorContext) => W) {
    this.#context = context;
    this.#open = open;
  }

  /** The windows by their ends. */
  get byEnd(): ReadonlyMap<number, W> {
    return this.#windows;
  }

  /** The window that ends then, opened now where it is not. */
  of(end: number): W {
    const found = this.#windows.get(end);
    if (found !== undefined) return found;
    const { spill } = this.#context;
    const prefix = `${spill.prefix}w${this.#openedCount++}`;
    const own = { ...spill, prefix, share: spill.share.part(windowPart) };
    const window = this.#open({ ...this.#context, spill: own });
    this.#windows.set(end, window);
    return window;
  }

  /** The window that ends then, which is complete. */
  complete(end: number): W {
    const window = this.#windows.get(end);
    assert(window !== undefined, 'a window that is complete is open');
    return window;
  }

  /** It has been given out. */
  drop(end: number): void {
    const window = this.#windows.get(end);
    this.#windows.delete(end);
    window?.close();
  }

  /** What is open would be late for those who left this task out. */
  idle(): IdleAnswer {
    return this.#windows.size === 0 ? 'pass' : 'hold';
  }

  close(): void {
    for (const window of this.#windows.values()) window.close();
    this.#windows.clear();
  }
}
