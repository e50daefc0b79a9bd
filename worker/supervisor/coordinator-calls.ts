/**
 * What a supervisor says to the leading coordinator. All of it may be said twice: lives, executors and bundles have names that
 * no other one ever has.
 *
 * Before: worker/supervisor/supervisor.ts. After: coordinator/protocol/members.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import { createLeaderClient, type LeaderClient } from '../../base/rpc/leader-client.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import {
  type BundlePart,
  type ExecutorEnded,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type JoinAnswer,
  type JoinRequest,
  memberMethods,
  type OfLife,
  type ReadBundleRequest,
} from '../../coordinator/protocol/members.ts';

/** Of a call that can be made again soon. A leader that is frozen takes its share: a standby is found in time. */
const deadlineMs = 4_000;
const bundleDeadlineMs = 30_000;
const leaveDeadlineMs = 2_000;

export class CoordinatorCalls {
  readonly #client: LeaderClient;

  constructor(env: Pick<Env, 'clock' | 'timers' | 'net' | 'rng'>, addresses: readonly Address[]) {
    this.#client = createLeaderClient(env, { addresses });
  }

  get leader(): Address {
    return this.#client.leader;
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    return await this.#call(memberMethods.join, request);
  }

  async heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer> {
    return await this.#call(memberMethods.heartbeat, request);
  }

  async executorEnded(request: ExecutorEnded): Promise<void> {
    await this.#call(memberMethods.executorEnded, request);
  }

  async readBundle(request: ReadBundleRequest): Promise<BundlePart> {
    return await this.#call(memberMethods.readBundle, request, bundleDeadlineMs);
  }

  async leave(life: OfLife): Promise<void> {
    await this.#call(memberMethods.leave, life, leaveDeadlineMs);
  }

  close(): void {
    this.#client.close();
  }

  async #call<Answer>(method: string, request: object, withinMs = deadlineMs): Promise<Answer> {
    const options = { deadlineMs: withinMs, isRead: true };
    const answer = await this.#client.call(method, request as unknown as JsonValue, options);
    return answer as unknown as Answer;
  }
}
