/**
 * Change plans: which streams of a job carry changes, and of which mode, found from the graph alone.
 *
 *     source ──append──▶ aggregate ──upsert by word──▶ select ──upsert by word──▶ sink { changes: upsert }
 *                                 ──retract──────────▶ where  ──retract──────────▶ sink { changes: retract }
 *
 * 1. From the sinks up: who takes changes. A node runs (gives out what changes while rows come) where all that
 *    reads it takes changes; else it gives its result at the end of the input, as in batch.
 * 2. Where the input has no end and a node can't run, the job is refused, and the message says who is in the way.
 * 3. From the sinks up: who needs the row before. A sink by key does not, as long as nothing in between does.
 * 4. From the sources down: the mode of each node's output, and the key of what replaces what.
 *
 * After Apache Flink's changelog mode inference, which asks the same two questions.
 * Before: change-roles.ts. After: coordinator/planner/lower-changes.ts
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import { utf8Type } from '../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../schema/schema.ts';
import { type ChangeRole, changeRoleOf } from './change-roles.ts';
import { type FirstRanks, firstRanksOf } from './first-ranks.ts';
import type { JobMode, LogicalGraph, LogicalNode } from './logical-graph.ts';
import { type ChangeMode, rowKindName } from './row-kind.ts';
import { unboundedNodes } from './unbounded.ts';

export interface NodeChanges {
  /** Of what it gives out; of a sink, of what it gets. */
  readonly mode: ChangeMode;
  /** Whether it gives out what changes while rows come, and not its result at the end. */
  readonly isRunning: boolean;
  /** By input: whether its rows have a kind. */
  readonly hasKind: readonly boolean[];
  /** Columns by which a row replaces the one before it; null for none. */
  readonly key: readonly string[] | null;
  /** Of a sink: whether it is given a column with the kind. */
  readonly showsKind: boolean;
  /** Of an `over` with a rank alone: which ranks are wanted of it. */
  readonly ranks: FirstRanks | null;
}

export interface ChangePlan {
  /** What the column of the row kind is called: no field of the job has that name. */
  readonly column: string;
  /** By node. */
  readonly nodes: ReadonlyMap<string, NodeChanges>;
}

/** @throws PLAN_CHANGES_REFUSED, PLAN_NEEDS_END */
export function changePlanOf(graph: LogicalGraph, mode: JobMode): ChangePlan {
  const taken = new Set(graph.nodes.flatMap(({ schema }) => schema.fields.map((one) => one.name)));
  const column = freeName(rowKindName, taken);
  const planning = new Planning(graph, mode);
  planning.check();
  const nodes = new Map<string, NodeChanges>();
  for (const node of graph.nodes) nodes.set(node.id, planning.changesOf(node, nodes));
  return { column, nodes };
}

/** The schema of what a sink is given. */
export function sinkSchemaOf(
  { sink, schema }: LogicalNode & { readonly kind: 'sink' },
  changes: Pick<NodeChanges, 'showsKind'> | undefined,
): Schema {
  if (changes?.showsKind !== true || sink.changes === undefined) return schema;
  return { fields: [fieldOf(sink.changes.column, utf8Type), ...schema.fields] };
}

/** A node that takes added rows alone, and why. */
interface Refusal {
  readonly reader: LogicalNode;
  readonly why: string;
}

class Planning {
  readonly #graph: LogicalGraph;
  readonly #isStreaming: boolean;
  readonly #readers = new Map<string, LogicalNode[]>();
  readonly #unbounded: ReadonlySet<string>;
  readonly #roles = new Map<string, ChangeRole>();
  readonly #ranks = new Map<string, FirstRanks | null>();
  /** By node: the first reader that does not take changes of it; null where all do. */
  readonly #refusals = new Map<string, Refusal | null>();
  readonly #needsBefore = new Map<string, boolean>();

  constructor(graph: LogicalGraph, mode: JobMode) {
    this.#graph = graph;
    this.#isStreaming = mode === 'streaming';
    this.#unbounded = unboundedNodes(graph.nodes);
    for (const node of graph.nodes) {
      for (const id of node.inputs) {
        this.#readers.set(id, [...(this.#readers.get(id) ?? []), node]);
      }
    }
    const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
    for (const node of graph.nodes) {
      const isUnbounded = node.inputs.map((id) => this.#unbounded.has(id));
      const sort = node.kind === 'orderBy' ? node : nodes.get(node.inputs[0] ?? '');
      const isTop = sort?.kind === 'orderBy' && this.#isReadByLimit(sort);
      const ranks = this.#ranksOf(node);
      this.#ranks.set(node.id, ranks);
      this.#roles.set(node.id, changeRoleOf(node, { isUnbounded, isTop, ranks }));
    }
    for (const node of [...graph.nodes].reverse()) {
      const readers = this.#readers.get(node.id) ?? [];
      const found = readers.map((reader) => this.#refusalOf(reader)).find((one) => one !== null);
      this.#refusals.set(node.id, found ?? null);
      this.#needsBefore.set(
        node.id,
        readers.some((reader) => this.#wantsBefore(reader)),
      );
    }
  }

  #isReadByLimit({ id }: LogicalNode): boolean {
    const [reader, ...others] = this.#readers.get(id) ?? [];
    return reader?.kind === 'limit' && others.length === 0;
  }

  #ranksOf(node: LogicalNode): FirstRanks | null {
    if (node.kind !== 'analytic' || node.functions.length > 1) return null;
    const [reader, ...others] = this.#readers.get(node.id) ?? [];
    if (reader?.kind !== 'where' || others.length > 0) return null;
    return firstRanksOf(node.functions, reader.predicate);
  }

  check(): void {
    for (const node of this.#graph.nodes) {
      const { role, inputs } = this.#ofNode(node);
      if (!inputs.includes(true)) continue;
      if (!this.#isStreaming || role.kind === 'atEnd') throw this.#needsEnd(node);
      const refusal = this.#refusals.get(node.id) ?? null;
      if (role.kind === 'running' && refusal !== null && role.revises) {
        throw changesRefused(node, refusal);
      }
    }
  }

  changesOf(node: LogicalNode, known: ReadonlyMap<string, NodeChanges>): NodeChanges {
    const inputs = node.inputs.map((id) => {
      const changes = known.get(id);
      assert(changes !== undefined, 'a node reads nodes before it');
      return changes;
    });
    const { role } = this.#ofNode(node);
    const hasKind = inputs.map(({ mode }) => mode !== 'append');
    // A sort in front of a limit that runs has nothing to do.
    const canRun = role.kind === 'running' || node.kind === 'orderBy';
    const isRunning = canRun && role.kind !== 'atEnd' && this.#runs(node, hasKind);
    const changes =
      hasKind.includes(true) || (isRunning && role.kind === 'running' && role.revises);
    const key = role.kind === 'running' ? role.key : keyBehind(node, inputs);
    if (node.kind === 'sink') return this.#sinkChanges(node, inputs[0], hasKind);
    const hasBefore = role.kind === 'passes' && inputs.some((input) => input.mode === 'retract');
    const needsBefore = hasBefore || key === null || this.#needsBefore.get(node.id) === true;
    const mode = changes ? (needsBefore ? 'retract' : 'upsert') : 'append';
    const ranks = this.#ranks.get(node.id) ?? null;
    return { mode, isRunning, hasKind, key, showsKind: false, ranks };
  }

  #sinkChanges(
    node: LogicalNode & { readonly kind: 'sink' },
    input: NodeChanges | undefined,
    hasKind: readonly boolean[],
  ): NodeChanges {
    const { changes } = node.sink;
    const [mode, key] = [input?.mode ?? 'append', input?.key ?? null];
    if (mode !== 'append' && changes?.mode === 'upsert' && key === null) throw noKey(node);
    const showsKind = this.#isStreaming && changes !== undefined;
    const isShown = showsKind && (changes.isAsked || mode !== 'append');
    return { mode, isRunning: false, hasKind, key, showsKind: isShown, ranks: null };
  }

  /** Whether it gives out changes while rows come: where all that reads it takes them, or they are added rows alone. */
  #runs(node: LogicalNode, hasKind: readonly boolean[]): boolean {
    const { role, inputs } = this.#ofNode(node);
    if (!this.#isStreaming) return false;
    const isAddedTo = role.kind === 'running' && !role.revises && !hasKind.includes(true);
    return isAddedTo || this.#refusals.get(node.id) === null || inputs.includes(true);
  }

  /** Why a node takes no changes; null where it, and all that reads it, does. */
  #refusalOf(reader: LogicalNode): Refusal | null {
    const { role, inputs } = this.#ofNode(reader);
    switch (role.kind) {
      case 'sink':
        return this.#sinkRefusal(reader, inputs.includes(true));
      case 'passes':
        return this.#refusals.get(reader.id) ?? null;
      case 'running': {
        const { refusal } = role;
        if (refusal !== null) return { reader, why: `can't take a row out of its ${refusal}` };
        return this.#refusals.get(reader.id) ?? null;
      }
      default:
        return { reader, why: 'takes added rows only' };
    }
  }

  /** A sink that was not asked for changes gets final rows where there is an end. */
  #sinkRefusal(reader: LogicalNode, isUnbounded: boolean): Refusal | null {
    const changes = reader.kind === 'sink' ? reader.sink.changes : undefined;
    if (changes !== undefined && (changes.isAsked || isUnbounded)) return null;
    return { reader, why: 'takes added rows only' };
  }

  #wantsBefore(reader: LogicalNode): boolean {
    if (reader.kind === 'sink') return reader.sink.changes?.mode !== 'upsert';
    // A filter may drop the row after: then only the row before says that one is gone.
    const isPlain = reader.kind === 'select' || reader.kind === 'derive';
    return !isPlain || this.#needsBefore.get(reader.id) === true;
  }

  #ofNode(node: LogicalNode): { readonly role: ChangeRole; readonly inputs: readonly boolean[] } {
    const role = this.#roles.get(node.id);
    assert(role !== undefined, 'every node has a role');
    return { role, inputs: node.inputs.map((id) => this.#unbounded.has(id)) };
  }

  #needsEnd(node: LogicalNode): Error {
    const source = this.#graph.nodes.find((one) => this.#unbounded.has(one.id));
    const message = this.#isStreaming
      ? `"${node.id}" gives its rows at the end of the input, and "${source?.id}" has no end`
      : `the job runs as batch, and "${source?.id}" has no end`;
    return typedError('PLAN_NEEDS_END', message, {
      hint: this.#isStreaming
        ? hintFor(node)
        : 'Run it as a stream: mode: "streaming" in defineJob, or --execution-mode streaming.',
      details: { operator: node.id },
    });
  }
}

/** The key of what passes: as long as its columns are there, under whichever name. */
function keyBehind(node: LogicalNode, [input, ...others]: readonly NodeChanges[]) {
  if (input?.key == null || others.length > 0) return null;
  if (node.kind === 'where' || node.kind === 'sink') return input.key;
  if (node.kind !== 'select' && node.kind !== 'derive') return null;
  const { columns } = node;
  const names = input.key.map((name) => {
    const shown = columns.find(({ expr }) => expr.kind === 'column' && expr.name === name);
    const isHidden = node.kind === 'select' || columns.some((column) => column.name === name);
    return shown?.name ?? (isHidden ? null : name);
  });
  return names.includes(null) ? null : names.filter((name) => name !== null);
}

function hintFor({ kind }: LogicalNode): string {
  return kind === 'join'
    ? 'Keep rows of both sides for a while (keep: { ttlMs }), or say how near in event time they are (within, window, asOf).'
    : 'Cut the stream by windows of event time, or leave the operator out.';
}

function changesRefused(node: LogicalNode, { reader, why }: Refusal): Error {
  return typedError(
    'PLAN_CHANGES_REFUSED',
    `"${node.id}" changes its results for ever, and "${reader.id}" ${why}`,
    {
      hint: 'Group by a window of event time, whose results come once; ask the sink for changes (files.sink({ path, changes: "rowKind" })); or write to a sink that takes them: console.sink(), memory.sink().',
      details: { operator: node.id, reader: reader.id },
    },
  );
}

function noKey(node: LogicalNode): Error {
  const message = `"${node.id}" takes changes by key, and the rows that it is given have none`;
  return typedError('PLAN_CHANGES_REFUSED', message, {
    hint: 'Keep the columns of keyBy in the rows, or ask the sink for every row that goes and comes: changes "retract".',
    details: { operator: node.id },
  });
}
