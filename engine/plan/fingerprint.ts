/**
 * Fingerprints of graphs: every slot thread builds the job's graph from the same module, and a
 * thread whose graph differs must not run. 64 bits against accidents, not against attackers.
 */
import type { LogicalGraph } from './logical-graph.ts';

/** 16 hexadecimal digits; equal for graphs that are equal as data, whatever the order of properties. */
export function fingerprintOf(graph: LogicalGraph): string {
  return dataFingerprintOf(graph);
}

/** The same of any plain data. */
export function dataFingerprintOf(data: unknown): string {
  const text = canonicalText(data);
  return hash(text, 0x811c9dc5) + hash(text, 0x9747b28c);
}

/** JSON with properties in the order of their names. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** FNV-1a over UTF-16 units, from `seed`, with MurmurHash3's finish so that all bits depend on all. */
function hash(text: string, seed: number): string {
  let state = seed;
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return ((state ^ (state >>> 16)) >>> 0).toString(16).padStart(8, '0');
}
