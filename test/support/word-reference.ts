/**
 * Word counts by plain Node, to compare the engine's with: a word is a maximal run of A to Z in lower
 * case, most frequent first, then by word. Files are found as a source finds them: names that begin
 * with a dot are passed over.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type WordCount = readonly [word: string, count: number];

/** All words of the files. Bytes above ASCII are no letters, whatever they mean. */
export function countWords(files: readonly string[]): WordCount[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    for (const [run] of readFileSync(file, 'latin1').matchAll(/[A-Za-z]+/g)) {
      const word = run.toLowerCase();
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

/** The files below a folder whose names end so. */
export function filesBelow(folder: string, ending = ''): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) return filesBelow(path, ending);
    return entry.isFile() && entry.name.endsWith(ending) ? [path] : [];
  });
}

export function csvOf(counts: readonly WordCount[]): string {
  return `${['word,count', ...counts.map((row) => row.join())].join('\n')}\n`;
}

export function ndjsonOf(counts: readonly WordCount[]): string {
  return counts.map(([word, count]) => `${JSON.stringify({ word, count })}\n`).join('');
}

export function bytesOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}
