/**
 * Snapshot notes: what operators note beside their rows, and how what several tasks have noted becomes one thing again.
 *
 *     watermarks    of tasks      the least: none of the new tasks may take for late what one of the old ones awaited
 *     counts        of tasks      the sum, in the task with the first key group
 */
import type { Json } from '../contracts/json.ts';
import type { SnapshotReader } from '../contracts/snapshot.ts';

type Note = { readonly [key: string]: Json };

/** A time as JSON, which has no infinities: null for one that has not come. */
export function notedTime(timeMs: number): number | null {
  return Number.isFinite(timeMs) ? timeMs : null;
}

/** The least of the times that tasks noted under a name; minus infinity where one has not come. */
export function leastTimeOf(reader: SnapshotReader, name: string): number {
  const times = notesOf(reader).map((note) => note[name]);
  if (times.length === 0) return Number.NEGATIVE_INFINITY;
  return Math.min(...times.map(timeOf));
}

/** The latest of those; minus infinity where none has come. */
export function latestTimeOf(reader: SnapshotReader, name: string): number {
  return Math.max(Number.NEGATIVE_INFINITY, ...notesOf(reader).map((note) => timeOf(note[name])));
}

/** The least of what tasks counted under a name; 0 where one has counted nothing. */
export function leastCountOf(reader: SnapshotReader, name: string): number {
  return Math.max(0, leastTimeOf(reader, name));
}

/** The sum of what tasks counted under a name, for the one task that goes on with it; 0 for the others. */
export function sumOfCounts(reader: SnapshotReader, name: string): number {
  if (reader.keyGroups.start > 0) return 0;
  return notesOf(reader).reduce((sum, note) => sum + Number(note[name] ?? 0), 0);
}

/** The notes of tasks that had something to note. */
export function notesOf({ notes }: SnapshotReader): readonly Note[] {
  return notes.filter((note): note is Note => {
    return typeof note === 'object' && note !== null && !Array.isArray(note);
  });
}

function timeOf(noted: Json | undefined): number {
  return typeof noted === 'number' ? noted : Number.NEGATIVE_INFINITY;
}
