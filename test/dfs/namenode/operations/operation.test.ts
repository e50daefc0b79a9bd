/**
 * Goal: whatever callers ask in whatever order, the namespace answers, refuses and looks as a plain map of paths does; and
 * the edits, read back from JSON, make the same tree again.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../../base/typed-error.ts';
import { applyEdit } from '../../../../dfs/namenode/namespace/apply-edit.ts';
import { modeFlags } from '../../../../dfs/namenode/namespace/inode-table.ts';
import { Namespace } from '../../../../dfs/namenode/namespace/namespace.ts';
import * as attributes from '../../../../dfs/namenode/operations/attributes.ts';
import { getListing } from '../../../../dfs/namenode/operations/look.ts';
import { create, mkdirs } from '../../../../dfs/namenode/operations/make.ts';
import {
  defaultLimits,
  type OperationContext,
  type Plan,
} from '../../../../dfs/namenode/operations/operation.ts';
import { remove } from '../../../../dfs/namenode/operations/remove.ts';
import { rename } from '../../../../dfs/namenode/operations/rename.ts';
import {
  type NaiveCaller,
  NaiveNamespace,
  type NaiveRequest,
} from '../../../support/naive-namespace.ts';
import { dumpNamespace } from '../../../support/namespace-dump.ts';

const root = { owner: 'hdfs', group: 'supergroup', mode: 0o777 | modeFlags.directory, timeMs: 0 };
const callers: readonly NaiveCaller[] = [
  { user: 'hdfs', groups: ['supergroup'], isSuperuser: true },
  { user: 'ann', groups: ['staff', 'ann'], isSuperuser: false },
  { user: 'bob', groups: ['staff', 'bob'], isSuperuser: false },
];

function planOf(context: OperationContext, request: NaiveRequest): Plan<unknown> {
  const { user } = context.access;
  switch (request.op) {
    case 'mkdirs':
      return mkdirs(context, { user, ...request });
    case 'create': {
      const layout = { clientName: 'client', replication: null, blockSizeBytes: null };
      return create(context, { user, ...request, ...layout });
    }
    case 'remove':
      return remove(context, { user, ...request });
    case 'rename':
      return rename(context, { user, ...request });
    case 'setPermission':
      return attributes.setPermission(context, { user, ...request });
    case 'setOwner':
      return attributes.setOwner(context, { user, ...request });
    case 'setQuota':
      return attributes.setQuota(context, { user, ...request, spaceBytesMax: null });
    case 'list':
      return getListing(context, { user, path: request.path, startAfter: '' });
  }
}

function textOf(answer: unknown): string {
  const { isDone, status, entries } = answer as {
    isDone?: boolean;
    status?: { type: string; owner: string };
    entries?: { pathSuffix: string }[];
  };
  if (status !== undefined) return `${status.type} ${status.owner}`;
  return isDone !== undefined
    ? String(isDone)
    : (entries ?? []).map((one) => one.pathSuffix).join();
}

const name = fc.constantFrom('a', 'b', 'ä');
const path = fc.array(name, { maxLength: 3 }).map((names) => `/${names.join('/')}`);
const mode = fc.constantFrom(0o777, 0o755, 0o700, 0o1777, 0o750, 0o070, 0o333, 0o555);
const request: fc.Arbitrary<NaiveRequest> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('mkdirs'), path, permission: mode }) },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ op: fc.constant('create'), path, permission: mode },
      ...{ overwrite: fc.boolean(), createParent: fc.boolean() },
    }),
  },
  fc.record({ op: fc.constant('remove'), path, isRecursive: fc.boolean() }),
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ op: fc.constant('rename'), source: path, destination: path },
      mode: fc.constantFrom('legacy', 'none', 'overwrite'),
    }),
  },
  fc.record({ op: fc.constant('setPermission'), path, permission: mode }),
  fc.record({
    ...{ op: fc.constant('setOwner'), path, owner: fc.constantFrom('ann', 'bob') },
    group: fc.constantFrom('staff', 'supergroup', 'ann'),
  }),
  fc.record({
    ...{ op: fc.constant('setQuota'), path },
    namesMax: fc.option(fc.integer({ min: 1, max: 8 })),
  }),
  fc.record({ op: fc.constant('list'), path }),
) as fc.Arbitrary<NaiveRequest>;
const call = fc.tuple(request, fc.constantFrom(0, 1, 1, 2));

test('the namespace is a map of paths, and its edits make it again', () => {
  fc.assert(
    fc.property(fc.array(call, { minLength: 20, maxLength: 80, size: 'max' }), (calls) => {
      const namespace = new Namespace(root);
      const replayed = new Namespace(root);
      const naive = new NaiveNamespace(defaultLimits, 'hdfs', 'supergroup');
      calls.forEach(([one, who], index) => {
        const caller = callers[who] ?? callers[0];
        if (caller === undefined) return;
        const access = { ...caller, groups: new Set(caller.groups) };
        const nowMs = index + 1;
        let answer: string;
        try {
          const plan = planOf({ namespace, access, limits: defaultLimits, nowMs }, one);
          for (const edit of plan.edits) applyEdit(namespace, edit);
          const read = JSON.parse(JSON.stringify(plan.edits));
          for (const edit of read) applyEdit(replayed, edit);
          answer = textOf(plan.answer());
        } catch (error) {
          const code = codeOf(error);
          if (code === null) throw error;
          answer = code;
        }
        expect(answer, JSON.stringify([one, caller.user])).toBe(naive.perform(one, caller, nowMs));
      });
      const dump = dumpNamespace(namespace);
      expect(dumpNamespace(replayed)).toEqual(dump);
      expect(Object.keys(dump.byPath).sort()).toEqual([...naive.nodes.keys()].sort());
      for (const [at, node] of naive.nodes) {
        const { quota, counted, ...found } = dump.byPath[at] as Record<string, unknown>;
        expect(found, at).toMatchObject({
          ...{ type: node.isDirectory ? 'DIRECTORY' : 'FILE', owner: node.owner },
          ...{ group: node.group, permission: node.mode, modificationTimeMs: node.modifiedMs },
          replication: node.replication,
        });
        const { limits, used } = (quota ?? {}) as { limits?: { namesMax: number }; used?: object };
        expect(limits?.namesMax ?? null).toBe(node.namesMax);
        if (quota !== null) expect(used).toEqual(counted);
      }
    }),
    { numRuns: 200 },
  );
});
