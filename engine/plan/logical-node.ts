/**
 * The chain of logical nodes while a job is built: each verb appends one, nothing is changed.
 *
 * Ids are stable: given by the user; else the name the user gave; else the kind and how many of that
 * kind come before on the stream (`where-1`, `aggregate-1`). So an operator put in or taken out moves
 * the ids of its own kind only, and never the state of another.
 */
import { deepFreeze } from '../../base/deep-freeze.ts';
import { typedError } from '../../base/typed-error.ts';
import type { LogicalGraph, LogicalNode } from './logical-graph.ts';
import type { UserFunctions } from './user-functions.ts';

/** A node, the one before it, and the user's functions that belong to it. */
export interface NodeChain {
  readonly node: LogicalNode;
  readonly before: NodeChain | null;
  readonly functions: UserFunctions | null;
}

/** What a verb knows of its node; the rest follows from the chain. */
type WithoutPlace<T> = T extends unknown ? Omit<T, 'id' | 'name' | 'inputs'> : never;
export type NodeContent = WithoutPlace<LogicalNode>;

/** Name and id that the user gave. */
export interface VerbOptions {
  /** What plans, progress and errors call the operator. @defaultValue the verb's own name */
  readonly name?: string;
  /** Where state is found again after the job has changed. @defaultValue made of kind, place, name */
  readonly id?: string;
}

const idForm = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** The chain with one more node. */
export function appendNode(
  before: NodeChain | null,
  content: NodeContent,
  options: VerbOptions = {},
  functions: UserFunctions | null = null,
): NodeChain {
  const taken = before === null ? [] : nodesOf(before).map((node) => node.id);
  const name = options.name ?? content.kind;
  const id = options.id ?? derivedId(content.kind, options.name, taken);
  if (!idForm.test(id)) {
    throw typedError('JOB_ARGUMENT_INVALID', `"${id}" can't be the id of an operator`, {
      hint: 'An id has up to 64 letters, digits and hyphens.',
    });
  }
  if (taken.includes(id)) {
    throw typedError('PLAN_DUPLICATE_ID', `two operators have the id "${id}"`, {
      hint: 'Give each operator an id of its own, for its state is found by it.',
    });
  }
  const inputs = before === null ? [] : [before.node.id];
  const node = deepFreeze({ ...content, id, name, inputs } as LogicalNode);
  return Object.freeze({ node, before, functions });
}

/** The graph that a chain ends. */
export function graphOf(jobName: string, last: NodeChain): LogicalGraph {
  return deepFreeze({ jobName, nodes: nodesOf(last) });
}

/** The user's functions of a chain, by operator id. */
export function functionsOf(last: NodeChain): Map<string, UserFunctions> {
  const functions = new Map<string, UserFunctions>();
  for (let at: NodeChain | null = last; at !== null; at = at.before) {
    if (at.functions !== null) functions.set(at.node.id, at.functions);
  }
  return functions;
}

function nodesOf(last: NodeChain): LogicalNode[] {
  const nodes: LogicalNode[] = [];
  for (let at: NodeChain | null = last; at !== null; at = at.before) nodes.push(at.node);
  return nodes.reverse();
}

function derivedId(kind: string, name: string | undefined, taken: readonly string[]): string {
  const slug = (name ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const base = slug.slice(0, 48);
  if (base !== '' && !taken.includes(base)) return base;
  for (let number = base === '' ? 1 : 2; ; number++) {
    const id = `${base === '' ? kind : base}-${number}`;
    if (!taken.includes(id)) return id;
  }
}
