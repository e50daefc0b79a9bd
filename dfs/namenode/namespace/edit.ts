/**
 * Edits: what the edit log has. An edit says what changed, with the ids and times that were given, and not what was asked: so
 * replay needs no clock, no configuration and no rules, and comes to the same tree in every later version.
 *
 * Files are named by path where the tree changes, by id where a writer works: a writer's file may be renamed under it.
 * What one operation does is one list of edits: all of it is done, or none.
 *
 * On disk, see docs/formats/edit-log.md: a kind may get another field, with a meaning for its absence; none is ever
 * renamed or used for something else.
 */

export type Edit =
  | InodeEdit
  | { readonly op: 'delete'; readonly path: string; readonly timeMs: number }
  /** Nothing is at the destination. */
  | {
      readonly op: 'rename';
      readonly source: string;
      readonly destination: string;
      readonly timeMs: number;
    }
  /** The blocks of the sources go behind those of the file; the sources are gone. */
  | {
      readonly op: 'concat';
      readonly path: string;
      readonly sources: readonly string[];
      readonly timeMs: number;
    }
  | AttributeEdit
  | WriterEdit;

type InodeEdit =
  | {
      readonly op: 'mkdir';
      readonly path: string;
      readonly id: number;
      readonly owner: string;
      readonly group: string;
      readonly mode: number;
      readonly timeMs: number;
    }
  | {
      readonly op: 'create';
      readonly path: string;
      readonly id: number;
      readonly owner: string;
      readonly group: string;
      readonly mode: number;
      readonly timeMs: number;
      readonly replication: number;
      readonly blockSize: number;
      readonly clientName: string;
    };

/** Null: as it is; of a quota: none. */
type AttributeEdit =
  | { readonly op: 'setPermission'; readonly path: string; readonly mode: number }
  | {
      readonly op: 'setOwner';
      readonly path: string;
      readonly owner: string | null;
      readonly group: string | null;
    }
  | {
      readonly op: 'setTimes';
      readonly path: string;
      readonly modifiedMs: number | null;
      readonly accessedMs: number | null;
    }
  | { readonly op: 'setReplication'; readonly path: string; readonly replication: number }
  | {
      readonly op: 'setQuota';
      readonly path: string;
      readonly namesMax: number | null;
      readonly spaceBytesMax: number | null;
    };

type WriterEdit =
  /** A closed file gets a writer, or an open one another. */
  | { readonly op: 'open'; readonly path: string; readonly clientName: string }
  | {
      readonly op: 'addBlock';
      readonly fileId: number;
      readonly blockId: number;
      readonly generationStamp: number;
    }
  | {
      readonly op: 'setBlock';
      readonly blockId: number;
      readonly generationStamp: number;
      readonly lengthBytes: number;
      /** One of `blockStates`. */
      readonly state: number;
    }
  /** The last block of its file. */
  | { readonly op: 'removeBlock'; readonly blockId: number }
  /** All blocks have their final lengths; nobody writes the file any more. */
  | { readonly op: 'close'; readonly fileId: number; readonly timeMs: number }
  /** A generation stamp was given out: no smaller one will be. */
  | { readonly op: 'stamp'; readonly generationStamp: number };
