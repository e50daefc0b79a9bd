/**
 * The receiving side of rpc: takes calls off connections, fences them, and answers each exactly
 * once. Methods are handlers by name; an error of a handler crosses as a typed error.
 *
 * Order of checks, and why: method (nothing can be said about an unknown one), fence (a replaced
 * caller must not even learn a remembered answer), room, then the memory of answers.
 */
import type { Env } from '../env/env.ts';
import type { Address, Connection, Listener } from '../env/net.ts';
import { codeOf, toWire } from '../typed-error.ts';
import { AnswerMemory } from './answer-memory.ts';
import { EpochFence } from './epoch-fence.ts';
import {
  type AnswerMessage,
  type CallMessage,
  decodeMessage,
  encodeMessage,
  type JsonValue,
} from './message.ts';
import { asUnknown, busyError, frameError, noMethodError } from './rpc-error.ts';

/** What a handler may know of its call. */
export interface CallContext {
  readonly remote: Address;
  /** Which connection it came on: a number that no other one of this server has. */
  readonly connection: number;
  readonly term?: number;
  readonly epoch?: number;
  /** On the receiver's monotonic clock: nobody waits for the answer after this. */
  readonly deadlineAtMs: number;
}

/** Answers a call. Contract: one that throws a typed error has done nothing (not checked). */
export type RpcHandler = (body: JsonValue, context: CallContext) => Promise<JsonValue> | JsonValue;

export interface RpcServer {
  /** Sets the handler of a method; the last one set counts. */
  handle(method: string, handler: RpcHandler): void;
  /** Accepts calls at `address`; answers with the address that it got. */
  listen(address: Address): Promise<Address>;
  /** Ends all connections; calls in work go on, their answers are dropped. */
  close(): Promise<void>;
}

export interface RpcServerOptions {
  /** What the receiver knows from before its start: older terms are refused. @defaultValue 0 */
  readonly term?: number;
  /** Likewise for epochs. @defaultValue 0 */
  readonly epoch?: number;
  /** Calls in work above which a new one gets RPC_BUSY. @defaultValue 1,024 */
  readonly callsInWorkMax?: number;
  /** Remembered answers of calls with an idempotency key. @defaultValue 1,024 */
  readonly answersMax?: number;
  /** Called when a connection has ended, by its number. */
  readonly onDisconnected?: (connection: number) => void;
}

export function createRpcServer(
  env: Pick<Env, 'clock' | 'net' | 'observe'>,
  options: RpcServerOptions = {},
): RpcServer {
  return new Server(env, options);
}

class Server implements RpcServer {
  readonly #env: Pick<Env, 'clock' | 'net' | 'observe'>;
  readonly #handlers = new Map<string, RpcHandler>();
  readonly #listeners: Listener[] = [];
  readonly #connections = new Map<Connection, number>();
  readonly #onDisconnected: (connection: number) => void;
  readonly #fence = new EpochFence();
  readonly #answers: AnswerMemory;
  readonly #callsInWorkMax: number;
  #callsInWork = 0;
  #lastConnection = 0;

  constructor(env: Pick<Env, 'clock' | 'net' | 'observe'>, options: RpcServerOptions) {
    this.#env = env;
    this.#fence.admit({ term: options.term ?? 0, epoch: options.epoch ?? 0 });
    this.#callsInWorkMax = options.callsInWorkMax ?? 1_024;
    this.#answers = new AnswerMemory(options.answersMax ?? 1_024);
    this.#onDisconnected = options.onDisconnected ?? (() => undefined);
  }

  handle(method: string, handler: RpcHandler): void {
    this.#handlers.set(method, handler);
  }

  async listen(address: Address): Promise<Address> {
    const listener = await this.#env.net.listen(address, (connection) => this.#serve(connection));
    this.#listeners.push(listener);
    return listener.address;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.keys()) connection.close();
    this.#connections.clear();
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  #serve(connection: Connection): void {
    const number = ++this.#lastConnection;
    this.#connections.set(connection, number);
    connection.onClose(() => {
      this.#connections.delete(connection);
      this.#onDisconnected(number);
    });
    connection.onFrame((frame) => {
      try {
        const message = decodeMessage(frame);
        if (message.kind !== 'call') throw frameError('a server takes calls only');
        void this.#answer(connection, number, message);
      } catch (error) {
        this.#env.observe.event('rpc.frame-refused', { reason: String(error) });
        connection.close();
      }
    });
  }

  /** Never rejects: whatever happens becomes the answer. */
  async #answer(connection: Connection, number: number, call: CallMessage): Promise<void> {
    let answer: AnswerMessage;
    try {
      answer = { kind: 'ok', id: call.id, body: await this.#run(connection.remote, number, call) };
    } catch (error) {
      answer = this.#failureOf(call, error);
    }
    try {
      this.#send(connection, answer);
    } catch (error) {
      // An answer that is too large for a frame must still end the call; its work was done.
      this.#send(connection, this.#failureOf(call, asUnknown(error)));
    }
  }

  #failureOf(call: CallMessage, error: unknown): AnswerMessage {
    if (codeOf(error) === null) {
      this.#env.observe.event('rpc.handler-broke', { method: call.method, error: String(error) });
    }
    // The stack stays here: the caller's people cannot do anything with our line numbers.
    const { stack: _, ...wire } = toWire(error);
    return { kind: 'error', id: call.id, error: wire };
  }

  #send(connection: Connection, answer: AnswerMessage): void {
    if (!this.#connections.has(connection)) return; // The caller knows that it knows nothing.
    try {
      connection.send(encodeMessage(answer));
    } catch (error) {
      if (codeOf(error) === 'NET_FRAME_TOO_LARGE') throw error;
      this.#connections.delete(connection);
    }
  }

  async #run(remote: Address, connection: number, call: CallMessage): Promise<JsonValue> {
    const handler = this.#handlers.get(call.method);
    if (handler === undefined) throw noMethodError(call.method);
    this.#fence.admit(call);
    if (this.#callsInWork >= this.#callsInWorkMax)
      throw busyError('receiver', this.#callsInWorkMax);
    const context: CallContext = {
      ...{ remote, connection },
      deadlineAtMs: this.#env.clock.mono() + call.deadlineMs,
      ...(call.term !== undefined && { term: call.term }),
      ...(call.epoch !== undefined && { epoch: call.epoch }),
    };
    const work = async (): Promise<JsonValue> => handler(call.body, context);
    this.#callsInWork++;
    try {
      if (call.key === undefined) return await work();
      return await this.#answers.once(`${call.method}\0${call.key}`, work);
    } finally {
      this.#callsInWork--;
    }
  }
}
