/**
 * A datanode's side of its talk with the namenode: registers, reports, beats, and has the commands carried out that come back.
 *
 *     register ─▶ full report of each volume ─▶ ┌▶ changes, at once ─▶ heartbeat, each interval ─▶ full reports that are due ┐
 *        ▲                                      └────────────────────────────────────────────────────────────────────────────┘
 *        └──── the namenode does not know this session any more
 *
 * Calls are made one behind the other, as the protocol wants it, each with a deadline well below the time after which a
 * silent datanode counts as dead. What is not answered is sent again: changes as they were, a report from its first part on, under a new id.
 *
 * Before: dfs/protocol/datanode-protocol.ts. After: dfs/datanode/reporting/commands.ts.
 */
import type { Env } from '../../../base/env/env.ts';
import type { RpcClient } from '../../../base/rpc/client.ts';
import type { JsonValue } from '../../../base/rpc/message.ts';
import { codeOf } from '../../../base/typed-error.ts';
import {
  type BadReplica,
  type BlockReceivedAndDeletedRequest,
  type BlockReportAnswer,
  type BlockReportRequest,
  type CommitBlockSynchronizationRequest,
  type DatanodeCommand,
  datanodeMethods,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type ReceivedOrDeleted,
  type RegisterAnswer,
  type RegisterRequest,
  type ReportBadBlocksRequest,
  reportReplicasMax,
  type StorageReport,
} from '../../protocol/datanode-protocol.ts';
import type { Replica } from '../replicas/replica.ts';
import { ChangeQueue } from './change-queue.ts';
import { reportPartsOf } from './report-parts.ts';

export interface LinkOptions {
  readonly client: RpcClient;
  readonly datanodeId: string;
  /** What it registers with, now. */
  readonly registration: () => Promise<RegisterRequest>;
  readonly storages: () => Promise<readonly StorageReport[]>;
  readonly replicas: () => readonly Replica[];
  /** Of volumes that work. */
  readonly storageIds: () => readonly string[];
  readonly load: () => { readonly transferCount: number; readonly replicationCount: number };
  readonly onCommand: (command: DatanodeCommand) => void;
  readonly onRegistered?: (answer: RegisterAnswer) => void;
}

/** Without who says it, which every call has. */
type Unsigned<T> = Omit<T, 'datanodeId' | 'session'>;
type LinkEnv = Pick<Env, 'clock' | 'timers' | 'observe'>;

const callDeadlineMs = 4_000;
/** Between tries while the namenode can't be reached. */
const retryMs = 500;
/** Bad replicas in a call. */
const badReplicasMax = 256;

export class NamenodeLink {
  readonly #env: LinkEnv;
  readonly #options: LinkOptions;
  readonly #changes = new ChangeQueue();
  readonly #bad: BadReplica[] = [];
  /** Volumes whose full report is due, by the time on the monotonic clock. */
  readonly #reportDueMs = new Map<string, number>();
  #registration: RegisterAnswer | null = null;
  #reportId = 0;
  #heartbeatDueMs = 0;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(env: LinkEnv, options: LinkOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** Talks until it is stopped. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        if (this.#registration === null) await this.#register();
        else await this.#round(this.#registration);
        await this.#untilSomethingIsDue();
      } catch (error) {
        const code: string | null = codeOf(error);
        if (code === 'DFS_DATANODE_UNREGISTERED') this.#registration = null;
        this.#env.observe.event('datanode.namenode-call-failed', { error: String(error) });
        await this.#sleep(retryMs);
      }
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** Told at once. */
  changed(change: ReceivedOrDeleted): void {
    this.#changes.add(change);
    this.#wake();
  }

  foundBad(replica: BadReplica): void {
    this.#bad.push(replica);
    this.#wake();
  }

  /** A full report of a volume is wanted. */
  reportSoon(storageId: string): void {
    this.#reportDueMs.set(storageId, this.#env.clock.mono());
    this.#wake();
  }

  async commitRecovery(request: Unsigned<CommitBlockSynchronizationRequest>): Promise<void> {
    await this.#call(datanodeMethods.commitBlockSynchronization, request);
  }

  async #register(): Promise<void> {
    const request = await this.#options.registration();
    const answer = (await this.#options.client.call(
      datanodeMethods.register,
      { ...request } as unknown as JsonValue,
      { deadlineMs: callDeadlineMs },
    )) as unknown as RegisterAnswer;
    this.#registration = answer;
    this.#heartbeatDueMs = 0;
    // The namenode knows nothing of this session yet: full reports say all that is in the queue.
    this.#changes.clear();
    this.#reportDueMs.clear();
    for (const storageId of this.#options.storageIds()) this.#reportDueMs.set(storageId, 0);
    this.#options.onRegistered?.(answer);
  }

  async #round(registration: RegisterAnswer): Promise<void> {
    const { clock } = this.#env;
    await this.#sendChanges();
    await this.#sendBad();
    if (clock.mono() >= this.#heartbeatDueMs) {
      this.#heartbeatDueMs = clock.mono() + registration.heartbeatIntervalMs;
      await this.#beat();
    }
    if (this.#changes.isOverflown) {
      this.#changes.clear();
      for (const storageId of this.#options.storageIds()) this.#reportDueMs.set(storageId, 0);
    }
    for (const [storageId, dueMs] of this.#reportDueMs) {
      if (clock.mono() < dueMs) continue;
      await this.#report(storageId);
      this.#reportDueMs.set(storageId, clock.mono() + registration.blockReportIntervalMs);
      return; // A heartbeat may be due before the next volume's.
    }
  }

  async #sendChanges(): Promise<void> {
    while (this.#changes.length > 0) {
      const changes = this.#changes.take(reportReplicasMax);
      const body: Unsigned<BlockReceivedAndDeletedRequest> = { changes };
      await this.#call(datanodeMethods.blockReceivedAndDeleted, body);
      this.#changes.answered();
    }
  }

  async #sendBad(): Promise<void> {
    while (this.#bad.length > 0) {
      const replicas = this.#bad.slice(0, badReplicasMax);
      const body: Unsigned<ReportBadBlocksRequest> = { replicas };
      await this.#call(datanodeMethods.reportBadBlocks, body);
      this.#bad.splice(0, replicas.length);
    }
  }

  async #beat(): Promise<void> {
    const storages = await this.#options.storages();
    const body: Unsigned<HeartbeatRequest> = { storages, ...this.#options.load() };
    const { commands } = await this.#call<HeartbeatAnswer>(datanodeMethods.heartbeat, body);
    for (const command of commands) this.#options.onCommand(command);
  }

  async #report(storageId: string): Promise<void> {
    const parts = reportPartsOf(this.#options.replicas(), storageId);
    const reportId = ++this.#reportId;
    for (const [part, replicas] of parts.entries()) {
      const isLast = part === parts.length - 1;
      const body: Unsigned<BlockReportRequest> = { storageId, reportId, part, isLast, replicas };
      const { commands } = await this.#call<BlockReportAnswer>(datanodeMethods.blockReport, body);
      for (const command of commands) this.#options.onCommand(command);
    }
  }

  async #call<T>(method: string, body: object): Promise<T> {
    const { client, datanodeId } = this.#options;
    const session = this.#registration?.session ?? 0;
    const whole = { datanodeId, session, ...body } as unknown as JsonValue;
    return (await client.call(method, whole, { deadlineMs: callDeadlineMs })) as unknown as T;
  }

  async #untilSomethingIsDue(): Promise<void> {
    const dueMs = Math.min(this.#heartbeatDueMs, ...this.#reportDueMs.values());
    const isWaiting = this.#changes.length > 0 || this.#bad.length > 0;
    if (!isWaiting) await this.#sleep(dueMs - this.#env.clock.mono());
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#isStopped || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#env.timers.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = () => undefined;
  }
}
