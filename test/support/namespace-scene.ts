/** A namespace to try operations on: who asks, what is done by it, and what comes of it. */
import { codeOf } from '../../base/typed-error.ts';
import { applyEdit } from '../../dfs/namenode/namespace/apply-edit.ts';
import { modeFlags } from '../../dfs/namenode/namespace/inode-table.ts';
import { Namespace } from '../../dfs/namenode/namespace/namespace.ts';
import { create, mkdirs } from '../../dfs/namenode/operations/make.ts';
import {
  defaultLimits,
  type NamespaceLimits,
  type OperationContext,
  type Plan,
} from '../../dfs/namenode/operations/operation.ts';

type Operation<Request, Answer> = (context: OperationContext, request: Request) => Plan<Answer>;

/** `hdfs` is the superuser; each other user is in the group of his name and in `staff`. */
export class NamespaceScene {
  readonly namespace: Namespace;
  readonly limits: NamespaceLimits;
  nowMs = 1_000;

  constructor(limits: Partial<NamespaceLimits> = {}) {
    const root = { owner: 'hdfs', group: 'supergroup', mode: 0o755 | modeFlags.directory };
    this.namespace = new Namespace({ ...root, timeMs: 1 });
    this.limits = { ...defaultLimits, blockSizeBytesMin: 1, ...limits };
  }

  contextOf(user: string): OperationContext {
    const { namespace, limits, nowMs } = this;
    const isSuperuser = user === 'hdfs';
    const groups = new Set(isSuperuser ? ['supergroup'] : [user, 'staff']);
    return { namespace, limits, nowMs, access: { user, groups, isSuperuser } };
  }

  /** @throws what the operation throws */
  run<Request extends { readonly user: string }, Answer>(
    operation: Operation<Request, Answer>,
    request: Omit<Request, 'user'>,
    user = 'hdfs',
  ): Answer {
    const plan = operation(this.contextOf(user), { ...request, user } as Request);
    for (const edit of plan.edits) applyEdit(this.namespace, edit);
    return plan.answer();
  }

  /** The answer, or the code of the error. */
  try<Request extends { readonly user: string }, Answer>(
    operation: Operation<Request, Answer>,
    request: Omit<Request, 'user'>,
    user = 'hdfs',
  ): unknown {
    try {
      return this.run(operation, request, user);
    } catch (error) {
      const code = codeOf(error);
      if (code === null) throw error;
      return code;
    }
  }

  directory(path: string, { user = 'hdfs', mode = 0o755 } = {}): void {
    this.run(mkdirs, { path, permission: mode }, user);
  }

  file(path: string, { user = 'hdfs', mode = 0o644, blockSizeBytes = 100, replication = 3 } = {}) {
    const flags = { overwrite: false, createParent: true, clientName: 'writer' };
    const more = { permission: mode, replication, blockSizeBytes };
    return this.run(create, { path, ...flags, ...more }, user).status;
  }
}
