/**
 * Judges what others see of a job's output folders: no row twice, none that is not right, rows of a key in their order, and
 * in the end all of them. Files whose names begin with a dot are nobody's yet.
 *
 * At least once: the same until the job is started again; from then on rows may come again, and what counts rows may count some
 * of them twice; a row that comes again may count those only that came again, but one of them counts none too few.
 *
 * It looks whenever names have changed, at what is there then: so it does not matter which program made a file visible, or
 * whether a power cut took its name away again.
 */
import type { SimDiskState } from '../sim-disk-state.ts';
import type { SumsJob } from './sums-job.ts';

export class OutputJudge {
  readonly #state: SimDiskState;
  readonly #expected: ReadonlySet<string>;
  readonly #folders: readonly string[];
  /** Visible files in the order in which they became so, with their lines. */
  readonly #visible = new Map<string, readonly string[]>();
  #nameChangeCount = -1;
  #mayRepeat = false;
  #mayCountTwice = false;
  /** By id of the row. */
  readonly #lines: ReadonlyMap<string, string>;

  constructor(
    state: SimDiskState,
    { expected, outputFolders }: Pick<SumsJob, 'expected' | 'outputFolders'>,
  ) {
    this.#state = state;
    this.#lines = expected;
    this.#expected = new Set(expected.values());
    this.#folders = outputFolders;
  }

  /** From now on rows may come again: the job has gone on from an older checkpoint than it had. */
  letRepeat(): void {
    this.#mayRepeat = true;
  }

  /** From now on rows may come again, and count twice: the job has gone on from a checkpoint that promises no more. */
  letCountTwice(): void {
    this.#mayRepeat = true;
    this.#mayCountTwice = true;
  }

  /** What is wrong with what is visible now; null when nothing is. */
  objection(): string | null {
    const { nameChangeCount } = this.#state;
    if (nameChangeCount === this.#nameChangeCount) return null;
    this.#nameChangeCount = nameChangeCount;
    return this.#look() ? this.#wrongLine() : null;
  }

  /** The same, where all must be there. */
  finalObjection(): string | null {
    this.#look();
    const wrong = this.#wrongLine();
    if (wrong !== null) return wrong;
    const seen = Map.groupBy([...this.#visible.values()].flat(), (line) => JSON.parse(line).id);
    const missing = [...this.#lines].filter(([id, once]) => {
      return seen.get(id)?.some((line) => this.#isWhole(line, once)) !== true;
    });
    if (missing.length === 0) return null;
    return `${missing.length} of ${this.#lines.size} rows are lost, among them ${missing[0]?.[1]}`;
  }

  get rowCount(): number {
    return [...this.#visible.values()].reduce((sum, lines) => sum + lines.length, 0);
  }

  /** Reads all that is visible; whether it is anything else than before. */
  #look(): boolean {
    let isChanged = false;
    for (const path of this.#visible.keys()) {
      if (this.#state.names.has(path)) continue;
      this.#visible.delete(path);
      isChanged = true;
    }
    for (const [path, inode] of this.#state.names) {
      if (!this.#isSeen(path)) continue;
      const text = new TextDecoder().decode(inode.cached);
      const before = this.#visible.get(path);
      const lines = text.split('\n').slice(0, -1);
      if (before !== undefined && before.length === lines.length) continue;
      this.#visible.set(path, text.endsWith('\n') ? lines : [...lines, 'a line that is cut off']);
      isChanged = true;
    }
    return isChanged;
  }

  #isRight(line: string): boolean {
    if (this.#expected.has(line)) return true;
    if (!this.#mayCountTwice || !line.endsWith('}')) return false;
    const row = JSON.parse(line);
    return this.#lines.has(row.id);
  }

  /** Whether a row counts all that it should. */
  #isWhole(line: string, once: string): boolean {
    if (line === once) return true;
    if (!this.#mayCountTwice) return false;
    const [row, right] = [JSON.parse(line), JSON.parse(once)];
    // What a timer has of its window may be of the rows that came again.
    return row.what === 'timer' || (row.count >= right.count && row.ids >= right.ids);
  }

  #isSeen(path: string): boolean {
    return this.#folders.some(
      (folder) => path.startsWith(`${folder}/`) && !path.startsWith(`${folder}/.`),
    );
  }

  #wrongLine(): string | null {
    const seen = new Set<string>();
    const lastEnd = new Map<string, number>();
    for (const [path, lines] of this.#visible) {
      for (const line of lines) {
        if (!this.#isRight(line)) return `${path} has a row that is not right: ${line}`;
        if (this.#mayRepeat) continue;
        if (seen.has(line)) return `${path} has a row for the second time: ${line}`;
        seen.add(line);
        const { key, what, end } = JSON.parse(line);
        const last = lastEnd.get(`${what} ${key}`) ?? Number.NEGATIVE_INFINITY;
        if (end <= last) return `${path} has a row behind a later one of its key: ${line}`;
        lastEnd.set(`${what} ${key}`, end);
      }
    }
    return null;
  }
}
