/**
 * The network of a process in a thread of its own, so that neither slots nor the control of the process wait behind sockets: one
 * long task of Piscina's, as a slot is.
 *
 * Before: worker/exchange/exchange-network.ts. After: worker/threads/network-thread.ts.
 */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Observe } from '../../base/env/observe.ts';
import type { TlsCertificates } from '../../base/env/tls-certificates.ts';
import { fromWire, toWire, typedError } from '../../base/typed-error.ts';
import type { ExchangeNetwork, LostHandler } from '../exchange/exchange-network.ts';
import type { FromNetwork, NetworkStart, ToNetwork } from './network-messages.ts';
import type { PiscinaSlotRunner } from './piscina-slot-runner.ts';

/** Beside this file, as a source and in the bundle. */
const networkThreadFile = new URL(
  import.meta.url.endsWith('.ts') ? './network-thread.ts' : './network-thread.js',
  import.meta.url,
);

export interface ThreadNetworkOptions {
  /** Of the slots that it carries rows for. */
  readonly runner: PiscinaSlotRunner;
  readonly observe: Observe;
  /** Where it listens: a Unix socket, or `127.0.0.1:0`; other hosts with certificates only. */
  readonly address: string;
  /** This process, by a name that no other has. */
  readonly name: string;
  /** Of all TCP connections. @defaultValue plain ones, on this host only */
  readonly tls?: TlsCertificates;
  /** One that has loaded its code already; it is this network's from now on. @defaultValue a new one */
  readonly thread?: NetworkThread;
}

/** A thread for a network, which loads its code before there is one. */
export class NetworkThread {
  readonly pool: Piscina;

  constructor() {
    this.pool = new Piscina({
      ...{ filename: networkThreadFile.href, minThreads: 1, maxThreads: 1 },
      ...{ concurrentTasksPerWorker: 1, atomics: 'disabled' as const },
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    // A thread that dies rejects its run; without a listener the event would end the process.
    this.pool.on('error', () => undefined);
  }
}

/** Resolves when it listens. @throws NET_ADDRESS_IN_USE, NET_NOT_LOOPBACK and what else listening throws */
export async function startThreadNetwork({
  runner,
  observe,
  thread = new NetworkThread(),
  ...options
}: ThreadNetworkOptions): Promise<ExchangeNetwork> {
  const bell = runner.networkBell;
  const { pool } = thread;
  const { port1: near, port2: far } = new MessageChannel();
  const start: NetworkStart = { ...options, bell, doorbells: runner.doorbells };
  const ended: Promise<void> = pool.run({ ...start, port: far }, { transferList: [far] });
  const listening = Promise.withResolvers<string>();
  /** That bring rows, and have not been closed. */
  const incomingKeys = new Set<string>();
  let lost: LostHandler = () => undefined;
  let isStopped = false;
  near.on('message', (message: FromNetwork) => {
    if (message.kind === 'listening') listening.resolve(message.address);
    else if (message.kind === 'failed') listening.reject(fromWire(message.error));
    else if (message.kind === 'lost') lost(message.keys, message.error);
    else observe.event('exchange.refused', { remote: message.remote, reason: message.reason });
  });
  ended.catch((cause: unknown) => {
    near.close();
    listening.reject(fromWire(toWire(cause)));
    if (!isStopped) lost([...incomingKeys], toWire(threadDiedError(cause)));
  });
  const post = (message: ToNetwork) => near.postMessage(message);
  const network: ExchangeNetwork = {
    bell,
    address: await listening.promise.catch(async (error: unknown) => {
      await pool.destroy();
      throw error;
    }),
    begin: (job) => {
      incomingKeys.clear();
      post({ kind: 'begin', job });
    },
    open: (outgoing, incoming) => {
      for (const { key } of incoming) incomingKeys.add(key);
      post({ kind: 'open', outgoing, incoming });
    },
    closeChannels: (keys) => {
      for (const key of keys) incomingKeys.delete(key);
      post({ kind: 'closeChannels', keys });
    },
    onLost: (handler) => {
      lost = handler;
    },
    stop: async () => {
      isStopped = true;
      post({ kind: 'stop' });
      await ended.catch(() => undefined); // It is gone, which is all that was wanted.
      near.close();
      await pool.destroy();
    },
  };
  return network;
}

function threadDiedError(cause: unknown) {
  return typedError('THREAD_DIED', 'the network thread ended before its work', {
    hint: 'This is a bug: please report it with the cause.',
    details: {},
    cause,
  });
}
