/**
 * The door for blocks' bytes: each connection says with its first frame what it is for, and is handed on.
 *
 * Before: dfs/transfer/transfer-frame.ts. After: dfs/datanode/pipeline/block-receiver.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { Address, Connection, Listener } from '../../base/env/net.ts';
import { FrameStream } from '../transfer/frame-stream.ts';
import { decodeFrame, type ReadMessage } from '../transfer/transfer-frame.ts';
import { sendBlocks } from './block-sender.ts';
import { type ReceiverOptions, receiveBlock } from './pipeline/block-receiver.ts';

type ServerEnv = Pick<Env, 'clock' | 'timers' | 'net' | 'observe'>;

export interface TransferServer {
  readonly address: Address;
  /** Blocks that are on their way through this datanode. */
  readonly transferCount: number;
  close(): Promise<void>;
}

/** Who connects and says nothing for so long is let go. */
const firstFrameMs = 10_000;

export async function startTransferServer(
  env: ServerEnv,
  address: Address,
  options: ReceiverOptions,
): Promise<TransferServer> {
  const server = new Server(env, options);
  server.listener = await env.net.listen(address, (connection) => server.accept(connection));
  return server;
}

class Server implements TransferServer {
  transferCount = 0;
  listener: Listener | null = null;
  readonly #env: ServerEnv;
  readonly #options: ReceiverOptions;

  constructor(env: ServerEnv, options: ReceiverOptions) {
    this.#env = env;
    this.#options = options;
  }

  get address(): Address {
    return this.listener?.address ?? '';
  }

  accept(connection: Connection): void {
    const cancel = this.#env.timers.after(firstFrameMs, () => connection.close());
    connection.onClose(cancel);
    let isTaken = false;
    connection.onFrame((frame) => {
      cancel();
      const message = decodeFrame(this.#options.checksum, frame);
      // A second frame before there was an answer: nobody of ours does that.
      if (isTaken || (message?.kind !== 'write' && message?.kind !== 'read')) {
        connection.close();
        return;
      }
      isTaken = true;
      this.transferCount++;
      const work =
        message.kind === 'write'
          ? receiveBlock(this.#env, this.#options, connection, message)
          : this.#send(connection, message);
      work
        .catch((error: unknown) => {
          this.#env.observe.event('datanode.receive-failed', { error: String(error) });
          connection.close();
        })
        .finally(() => {
          this.transferCount--;
        });
    });
  }

  async #send(connection: Connection, message: ReadMessage): Promise<void> {
    const stream = new FrameStream(this.#env, connection, this.#options.checksum);
    await sendBlocks(this.#env, this.#options, stream, message);
  }

  async close(): Promise<void> {
    await this.listener?.close();
  }
}
