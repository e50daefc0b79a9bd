/**
 * Logical nodes while a job is built: each verb makes one that reads those before it, and changes
 * none, so a stream may be used twice, and streams may meet again.
 *
 *     read ──▶ where ──┬─▶ select ──┬─▶ union ──▶ writeTo
 *                      └────────────┘
 *
 * Ids are given by the user, or derived when the graph is finished (engine/plan/operator-ids.ts), in the order of the
 * graph: what a node reads comes first, and the job's outputs follow each other as `build` returns them.
 */
import { assert } from '../../base/assert.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import { typedError } from '../../base/typed-error.ts';
import type { IdOrigin, JobMode, LogicalGraph, LogicalNode } from './logical-graph.ts';
import { derivedIds } from './operator-ids.ts';
import type { UserFunctions } from './user-functions.ts';

/** What a verb knows of its node; the rest follows from its place. */
type WithoutPlace<T> = T extends unknown ? Omit<T, 'id' | 'name' | 'inputs' | 'idOrigin'> : never;
export type NodeContent = WithoutPlace<LogicalNode>;

/** Name and id that the user gave. */
export interface VerbOptions {
  /** What plans, progress and errors call the operator. @defaultValue the verb's own name */
  readonly name?: string;
  /** Where state is found again after the job has changed. @defaultValue made of the name, or of kind and keys */
  readonly id?: string;
}

/** A node of a graph that is not finished: it has no id unless the user gave one. */
export interface NodeDraft {
  readonly content: NodeContent;
  readonly inputs: readonly NodeDraft[];
  readonly options: VerbOptions;
  readonly functions: UserFunctions | null;
  /** What the program gives a source. */
  readonly feed?: unknown;
  /** Where the rows go that the node puts aside. */
  readonly aside?: unknown;
}

const idForm = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/**
 * A node that reads `inputs`.
 *
 * @throws JOB_ARGUMENT_INVALID for an id of another form; PLAN_DUPLICATE_ID when a node before this
 * one has it: where the verb is called, so that the error points there.
 */
export function appendNode(
  inputs: readonly NodeDraft[],
  content: NodeContent,
  options: VerbOptions = {},
  functions: UserFunctions | null = null,
): NodeDraft {
  const { id } = options;
  if (id !== undefined) {
    if (!idForm.test(id)) {
      throw typedError('JOB_ARGUMENT_INVALID', `"${id}" can't be the id of an operator`, {
        hint: 'An id has up to 64 letters, digits and hyphens.',
      });
    }
    if (draftsBefore(inputs).some((draft) => draft.options.id === id)) throw duplicateId(id);
  }
  return Object.freeze({ content: deepFreeze(content), inputs, options, functions });
}

/** A finished graph, and the user's functions by operator id. */
export interface FinishedGraph {
  readonly graph: LogicalGraph;
  readonly functions: ReadonlyMap<string, UserFunctions>;
  /** What the program gives its sources, by operator id. */
  readonly feeds: ReadonlyMap<string, unknown>;
}

/**
 * The graph of all that leads to `ends`.
 *
 * @throws PLAN_DUPLICATE_ID
 */
export function finishGraph(
  jobName: string,
  ends: readonly NodeDraft[],
  mode: JobMode = 'batch',
): FinishedGraph {
  const drafts = draftsBefore(ends);
  const ids = idsOf(drafts);
  const idOf = (draft: NodeDraft): string => {
    const id = ids.get(draft)?.id;
    assert(id !== undefined, 'a node has an id when others read it');
    return id;
  };
  const nodes = drafts.map((draft): LogicalNode => {
    const { content, inputs, options } = draft;
    const place = { id: idOf(draft), name: options.name ?? content.kind };
    const origin = ids.get(draft)?.origin;
    const derived = origin === undefined ? {} : { idOrigin: origin };
    return { ...content, ...place, ...derived, inputs: inputs.map(idOf) } as LogicalNode;
  });
  const functions = new Map<string, UserFunctions>();
  const feeds = new Map<string, unknown>();
  for (const draft of drafts) {
    if (draft.functions !== null) functions.set(idOf(draft), draft.functions);
    if (draft.feed !== undefined) feeds.set(idOf(draft), draft.feed);
  }
  const graph = mode === 'batch' ? { jobName, nodes } : { jobName, mode, nodes };
  return { graph: deepFreeze(graph), functions, feeds };
}

/** The drafts and all that they read, each once, inputs first. */
export function draftsBefore(ends: readonly NodeDraft[]): NodeDraft[] {
  const found = new Set<NodeDraft>();
  const visit = (draft: NodeDraft): void => {
    if (found.has(draft)) return;
    for (const input of draft.inputs) visit(input);
    found.add(draft);
  };
  for (const end of ends) visit(end);
  return [...found];
}

function idsOf(
  drafts: readonly NodeDraft[],
): Map<NodeDraft, { readonly id: string; readonly origin?: IdOrigin }> {
  const given = new Set<string>();
  for (const { options } of drafts) {
    if (options.id === undefined) continue;
    if (given.has(options.id)) throw duplicateId(options.id);
    given.add(options.id);
  }
  const parts = drafts.map(({ content, options: { id, name } }) =>
    id === undefined ? { content, name } : null,
  );
  const derived = derivedIds(parts, given);
  return new Map(drafts.map((draft, at) => [draft, derived[at] ?? { id: draft.options.id ?? '' }]));
}

function duplicateId(id: string): Error {
  return typedError('PLAN_DUPLICATE_ID', `two operators have the id "${id}"`, {
    hint: 'Give each operator an id of its own, for its state is found by it.',
  });
}
