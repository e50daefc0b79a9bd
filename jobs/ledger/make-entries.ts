/**
 * Makes one of several files of entries to try the job with, the same for the same seed:
 * `node make-entries.ts [FILE] [FILES] [COUNT] [SEED] > entries-0.ndjson`. Entries are numbered through from 1 on, and go to
 * the files in turn; each key is in one file only.
 */
export interface EntriesChoice {
  readonly count: number;
  readonly fileCount: number;
  readonly keysPerFile: number;
  readonly seed: number;
}

export interface Entry {
  readonly id: number;
  readonly key: string;
  readonly amount: number;
}

const keysPerFile = 1_000;
const linesPerWrite = 10_000;

/** The entries of one file, in their order. */
export function* entriesOf(file: number, choice: EntriesChoice): Generator<Entry> {
  const { count, fileCount, seed } = choice;
  const draw = drawing(seed * 1_000 + file);
  for (let id = file + 1; id <= count; id += fileCount) {
    // Few keys have many entries, as accounts do.
    const key = Math.min(draw(choice.keysPerFile), draw(choice.keysPerFile));
    yield { id, key: `${file}-${key}`, amount: draw(20_001) - 10_000 };
  }
}

/** Whole numbers below a limit, from a seed; mulberry32. */
export function drawing(seed: number): (limit: number) => number {
  let drawn = seed >>> 0;
  return (limit) => {
    drawn = (drawn + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(drawn ^ (drawn >>> 15), drawn | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

async function main(numbers: string[]): Promise<void> {
  const [file = 0, fileCount = 1, count = 100_000, seed = 1] = numbers.map(Number);
  let lines: string[] = [];
  const flush = async () => {
    const text = lines.join('');
    lines = [];
    if (process.stdout.write(text)) return;
    await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
  };
  for (const entry of entriesOf(file, { count, fileCount, keysPerFile, seed })) {
    lines.push(`${JSON.stringify(entry)}\n`);
    if (lines.length === linesPerWrite) await flush();
  }
  await flush();
}

if (import.meta.main) await main(process.argv.slice(2));
