/**
 * Globs: `**` any folders, `*` and `?` within a name, `{a,b}` either, `[abc]` one of. Matching is
 * Node's own; here is what the walk must know beforehand: where to start, and how deep to go.
 *
 *     logs/2024-??/x/*.log       the base is `logs`, the pattern below it `2024-??/x/*.log`
 *
 * Names that begin with a dot match only a pattern that has that dot.
 */
import { posix } from 'node:path';

export interface Glob {
  /** The folder where the walk starts: the names before the first special character. */
  readonly base: string;
  /** What a path below the base must match. */
  readonly pattern: string;
  /** Folders deeper than this hold no match. */
  readonly depthMax: number;
  /** Whether a match may lie in a folder whose name begins with a dot. */
  readonly seesHidden: boolean;
}

/** Whether a path has characters that mean more than themselves. */
export function isGlob(path: string): boolean {
  return /[*?[\]{}]/.test(path);
}

export function parseGlob(path: string): Glob {
  const names = path.split('/');
  const plain = names.findIndex(isGlob);
  const baseText = names.slice(0, plain).join('/');
  const pattern = names.slice(plain).join('/');
  const hasSlashInBraces = /\{[^}]*\//.test(pattern);
  const isDeep = pattern.includes('**') || hasSlashInBraces;
  return {
    base: baseText !== '' ? baseText : path.startsWith('/') ? '/' : '.',
    pattern,
    depthMax: isDeep ? Number.POSITIVE_INFINITY : names.length - plain - 1,
    seesHidden: /(^|[/{,])\./.test(pattern),
  };
}

/** Whether the path below the glob's base matches. */
export function matchesGlob(glob: Glob, pathBelowBase: string): boolean {
  return posix.matchesGlob(pathBelowBase, glob.pattern);
}
