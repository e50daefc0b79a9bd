/**
 * The messages of rpc: one JSON object per frame, small, and checked at the door. A call carries how
 * long its sender will wait (not a point in time: clocks differ), and the numbers that fence it.
 *
 *     caller ── call {id, method, body, deadlineMs, term?, epoch?, key?} ──▶ receiver
 *     caller ◀── ok {id, body} or error {id, error} ──────────────────────── receiver
 *
 * On the wire: `v` is the version; a receiver refuses versions that it does not know.
 */
import type { WireError } from '../typed-error.ts';
import { frameError } from './rpc-error.ts';

/** What may be said in a message: what JSON can carry. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export interface CallMessage {
  readonly kind: 'call';
  readonly id: number;
  readonly method: string;
  readonly body: JsonValue;
  /** How long the caller waits from sending on. */
  readonly deadlineMs: number;
  /** The leader's fencing token. */
  readonly term?: number;
  /** The job attempt's fencing token. */
  readonly epoch?: number;
  /** Equal for repeats of one call, so that its work is done once. */
  readonly key?: string;
}

export type AnswerMessage =
  | { readonly kind: 'ok'; readonly id: number; readonly body: JsonValue }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError };

export type RpcMessage = CallMessage | AnswerMessage;

const version = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeMessage(message: RpcMessage): Uint8Array {
  return encoder.encode(JSON.stringify({ v: version, ...message }));
}

/** @throws RPC_FRAME when the frame is no message of this version. */
export function decodeMessage(frame: Uint8Array): RpcMessage {
  const parsed = parse(frame);
  if (!isObject(parsed) || parsed.v !== version) throw frameError('unknown version');
  const { v: _, ...message } = parsed;
  if (isCall(message)) return message;
  if (isAnswer(message)) return message;
  throw frameError('not a call and not an answer');
}

function parse(frame: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(frame));
  } catch (error) {
    throw frameError('not JSON', error);
  }
}

function isCall(message: object): message is CallMessage {
  const call = message as Partial<CallMessage>;
  return (
    call.kind === 'call' &&
    Number.isSafeInteger(call.id) &&
    typeof call.method === 'string' &&
    call.body !== undefined &&
    typeof call.deadlineMs === 'number' &&
    isFenceNumber(call.term) &&
    isFenceNumber(call.epoch) &&
    (call.key === undefined || typeof call.key === 'string')
  );
}

function isAnswer(message: object): message is AnswerMessage {
  const answer = message as { kind?: unknown; id?: unknown; body?: unknown; error?: unknown };
  if (!Number.isSafeInteger(answer.id)) return false;
  if (answer.kind === 'ok') return answer.body !== undefined;
  return answer.kind === 'error' && isWireError(answer.error);
}

function isFenceNumber(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0);
}

function isWireError(value: unknown): value is WireError {
  return isObject(value) && typeof value.code === 'string' && typeof value.message === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
