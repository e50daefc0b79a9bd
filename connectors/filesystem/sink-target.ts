/**
 * Where a file sink writes before its work is visible: names beside the target that begin with a dot,
 * so that folder listings and our own sources pass them over.
 *
 *     file     out/top.csv     out/.top.csv.<job>-<task>~<try>.tmp   one file, renamed over the target
 *     folder   out/parts/      out/.parts.<job>.new/                 becomes the target
 *                                part-00000.csv~<try>, part-00001.csv~<try> …
 *                              out/.parts.<job>.old/                 what was the target, for a moment
 *
 * The names say whose they are: a job removes its own, and finds those that a dead one left. Each try of a
 * task writes to a file of its own; the commit takes those that it is told of, and no other.
 * They are plain data: the committer makes them in the coordinator, writers get them in slot threads.
 */
import { assert } from '../../base/assert.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { FileSinkOptions } from './file-options.ts';
import { nameOf, normalPathOf, parentOf, pathIn, withoutEndSlash } from './file-path.ts';

export interface SinkTarget {
  readonly kind: 'file' | 'folder';
  /** The target as the user wrote it, without a slash at its end. */
  readonly path: string;
  readonly parent: string;
  /** The attempt, as its names have it. */
  readonly attemptId: string;
}

/** A name beside the target, taken apart. */
export interface HiddenName {
  readonly kind: 'written' | 'new' | 'old';
  readonly attemptId: string;
}

/** What a writer answers with, and `commit` is given. */
export interface FileWrite {
  readonly kind: SinkTarget['kind'];
  /** Where the writer has written it. */
  readonly path: string;
  /** The name that the file has in a folder target. */
  readonly partName: string;
  readonly sizeBytes: number;
  readonly rowCount: number;
}

/** A file system takes names of 255 bytes; ours add some 60 to the target's. */
const nameBytesMax = 150;

export function makeTarget(
  kind: SinkTarget['kind'],
  options: FileSinkOptions,
  attemptId: string,
): SinkTarget {
  const path = withoutEndSlash(normalPathOf(options.path));
  // Only the id's own dots could be mistaken for the ones that take a name apart.
  const id = attemptId.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return { kind, path, parent: parentOf(path), attemptId: id };
}

/** The file that one try of a task writes. */
export function writtenPathOf(
  target: SinkTarget,
  { taskIndex, attempt }: { readonly taskIndex: number; readonly attempt: number },
  partName: string,
): string {
  if (target.kind === 'folder') return pathIn(stagedFolderOf(target), `${partName}~${attempt}`);
  const name = `${hiddenPrefix(target)}${target.attemptId}-${taskIndex}~${attempt}.tmp`;
  return pathIn(target.parent, name);
}

/** The folder that becomes the target. */
export function stagedFolderOf(target: SinkTarget): string {
  return pathIn(target.parent, `${hiddenPrefix(target)}${target.attemptId}.new`);
}

/** Where the folder that is replaced waits until its successor is in place. */
export function replacedFolderOf(target: SinkTarget): string {
  return pathIn(target.parent, `${hiddenPrefix(target)}${target.attemptId}.old`);
}

/** Takes a name beside the target apart; null when it is none of this target's. */
export function parseHiddenName(target: SinkTarget, name: string): HiddenName | null {
  const prefix = hiddenPrefix(target);
  if (!name.startsWith(prefix)) return null;
  const match = /^([^.]+)(-\d+(?:~\d+)?\.tmp|\.new|\.old)$/.exec(name.slice(prefix.length));
  const [, attemptId, ending] = match ?? [];
  if (attemptId === undefined) return null;
  return { attemptId, kind: ending === '.new' ? 'new' : ending === '.old' ? 'old' : 'written' };
}

export function targetOf(prepared: Json): SinkTarget {
  const target = prepared as unknown as SinkTarget;
  assert(target.kind === 'file' || target.kind === 'folder', 'prepared is a target of this sink');
  return target;
}

export function fileWriteOf(write: Json): FileWrite {
  return write as unknown as FileWrite;
}

function hiddenPrefix(target: SinkTarget): string {
  return `.${shortened(nameOf(target.path))}.`;
}

function shortened(name: string): string {
  let short = name;
  while (new TextEncoder().encode(short).length > nameBytesMax) short = short.slice(0, -8);
  return short;
}
