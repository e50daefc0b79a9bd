/**
 * A cluster, as commands ask it: the one place of the cli that calls a coordinator. Calls go to the one that leads, wait for
 * a while where none does, for a standby takes some seconds to take over, and are repeated only where that changes nothing.
 *
 *     hello ──▶ version ok? ──▶ calls            refused, or silent, from the start: CLUSTER_NOT_REACHABLE
 *
 * Before: cli/control/reach-job.ts, cli/cluster/submit-job.ts. After: base/rpc/leader-client.ts, coordinator/protocol/clients.ts.
 */
import type { Address } from '../../base/env/net.ts';
import { createLeaderClient, type LeaderClient } from '../../base/rpc/leader-client.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { outcomeOf } from '../../base/rpc/rpc-error.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import {
  clientMethods,
  type HelloAnswer,
  type HelloRequest,
} from '../../coordinator/protocol/clients.ts';
import { clusterVersion } from '../../coordinator/protocol/members.ts';
import type { ClientEnv } from '../control/job-client.ts';

/** Longer than a standby takes to lead. */
const deadlineDefaultMs = 15_000;
const helloDeadlineMs = 10_000;
const askAgainMs = 250;

export interface ClusterCall {
  readonly method: string;
  readonly body?: unknown;
  /** @defaultValue 15,000 */
  readonly deadlineMs?: number;
  /** Whether it may be asked twice: it changes nothing, or the second time nothing. @defaultValue false */
  readonly isRepeatable?: boolean;
}

export class ClusterClient {
  readonly #env: ClientEnv;
  readonly #addresses: readonly Address[];
  readonly #client: LeaderClient;

  constructor(env: ClientEnv, addresses: readonly Address[]) {
    this.#env = env;
    this.#addresses = addresses;
    this.#client = createLeaderClient(env, { addresses });
  }

  /** Who leads, as far as is known. */
  get address(): Address {
    return this.#client.leader;
  }

  /** Finds out that there is a cluster, of this version. @throws CLUSTER_NOT_REACHABLE, CLUSTER_VERSION */
  async hello(): Promise<HelloAnswer> {
    const body: HelloRequest = { version: clusterVersion };
    const call = { method: clientMethods.hello, body, deadlineMs: helloDeadlineMs };
    const answer = await this.#ask<HelloAnswer>(
      { ...call, isRepeatable: true },
      (error) => codeOf(error) === 'CLUSTER_NOT_LEADING',
    );
    if (answer.version === clusterVersion) return answer;
    throw versionError(this.address, answer.version);
  }

  /**
   * Asks the coordinator that leads.
   * @throws CLUSTER_NOT_REACHABLE, CLUSTER_NOT_LEADING, and what it answers with
   */
  ask<T>(call: ClusterCall): Promise<T> {
    return this.#ask<T>(call, (error) => {
      if (codeOf(error) === 'CLUSTER_NOT_LEADING') return true;
      // It has answered before: it is being started again, or another one takes over.
      const isGone = codeOf(error) === 'RPC_DISCONNECTED';
      return isGone && (call.isRepeatable === true || outcomeOf(error) === 'failed');
    });
  }

  close(): void {
    this.#client.close();
  }

  async #ask<T>(call: ClusterCall, mayPass: (error: unknown) => boolean): Promise<T> {
    const { method, body = null, deadlineMs = deadlineDefaultMs, isRepeatable = false } = call;
    const { clock, timers } = this.#env;
    const endsAtMs = clock.mono() + deadlineMs;
    while (true) {
      const leftMs = Math.max(1, endsAtMs - clock.mono());
      try {
        const options = { deadlineMs: leftMs, isRead: isRepeatable };
        return (await this.#client.call(method, body as JsonValue, options)) as T;
      } catch (error) {
        const isLate = clock.mono() + askAgainMs >= endsAtMs;
        if (isLate || !mayPass(error)) throw this.#explained(error, deadlineMs);
        await timers.sleep(askAgainMs);
      }
    }
  }

  #explained(error: unknown, deadlineMs: number): unknown {
    switch (codeOf(error)) {
      case 'RPC_DISCONNECTED':
        return this.#notReachable(`no coordinator answers at ${this.#addresses.join(', ')}`, error);
      case 'RPC_DEADLINE':
        return this.#notReachable(
          `the coordinator at ${this.address} did not answer within ${deadlineMs} ms`,
          error,
        );
      case 'RPC_NO_METHOD':
        return this.#notReachable(`what answers at ${this.address} is no coordinator`, error);
      default:
        return error;
    }
  }

  #notReachable(message: string, cause: unknown) {
    // Whoever speaks TLS only ends plain connections without a word.
    const isCutOff = codeOf(cause) === 'RPC_DISCONNECTED' && outcomeOf(cause) === 'unknown';
    const tls =
      'A cluster with TLS needs tls.authority, tls.certificate and tls.key: millrace config. ';
    return typedError('CLUSTER_NOT_REACHABLE', message, {
      hint: `${isCutOff ? tls : ''}Give the address that millrace coordinator prints, with --cluster or MILLRACE_CLUSTER; millrace up starts a cluster on this machine.`,
      retryable: true,
      details: { addresses: this.#addresses.join(', ') },
      cause,
    });
  }
}

/** Asks a cluster, and lets go of it. @throws CLUSTER_NOT_REACHABLE, CLUSTER_VERSION, and as `use` does */
export async function withCluster<T>(
  env: ClientEnv,
  addresses: readonly Address[],
  use: (cluster: ClusterClient) => Promise<T>,
): Promise<T> {
  const cluster = new ClusterClient(env, addresses);
  try {
    await cluster.hello();
    return await use(cluster);
  } finally {
    cluster.close();
  }
}

function versionError(address: Address, version: number) {
  const message = `the cluster at ${address} speaks version ${version}, this program ${clusterVersion}`;
  const which = version < clusterVersion ? 'cluster' : 'program';
  return typedError('CLUSTER_VERSION', message, {
    hint: `Use one version of Millrace on all sides: the ${which} is the older one.`,
    details: { version },
  });
}
