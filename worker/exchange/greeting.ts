/**
 * How two executors begin a connection, and the rules by which the sender takes a receiver in.
 *
 *     receiver   hello: version, job, epoch, who, the how manyeth connection   ──▶ sender
 *     receiver   ◀── welcome, or refuse with the reason   sender
 *
 * Versions must be the same; hello and refuse keep their form for ever, so that other versions can say so. A job's older epoch is
 * refused for good; a newer one, or a job that is not here, is refused for now: its tasks may be on their way. Of the connections of
 * one receiver the newest counts, however late an older one arrives.
 */
import { exchangeVersion } from './frame.ts';

/** The attempt of a job that channels belong to. */
export interface ExchangeJob {
  readonly jobId: string;
  readonly epoch: number;
}

export interface Hello extends ExchangeJob {
  readonly version: number;
  /** The receiver; the same over all its connections for an attempt. */
  readonly from: string;
  /** Counts its connections to this sender, from 1. */
  readonly connection: number;
}

export interface Refusal {
  readonly reason: string;
  /** Whether the same may be taken in later. */
  readonly mayComeBack: boolean;
}

/** What a receiver asks for on a connection that was taken in; the channel's number is the frame's. */
export interface OpenChannel {
  readonly key: string;
  readonly windowSlots: number;
  readonly slotBytes: number;
  readonly next: number;
  readonly consumed: number;
}

/** @param own - What runs here; null: nothing. @param newest - The newest connection of that receiver; 0: none. */
export function judgeHello(hello: Hello, own: ExchangeJob | null, newest: number): Refusal | null {
  if (hello.version !== exchangeVersion) {
    const reason = `exchange version ${hello.version} is not ${exchangeVersion}, which runs here`;
    return { reason, mayComeBack: false };
  }
  if (own === null || own.jobId !== hello.jobId) {
    return { reason: `job ${hello.jobId} does not run here`, mayComeBack: true };
  }
  if (hello.epoch < own.epoch) {
    const reason = `epoch ${hello.epoch} is over, ${own.epoch} runs here`;
    return { reason, mayComeBack: false };
  }
  if (hello.epoch > own.epoch) {
    return { reason: `epoch ${hello.epoch} does not run here yet`, mayComeBack: true };
  }
  if (hello.connection <= newest) {
    return { reason: `connection ${hello.connection} is older than ${newest}`, mayComeBack: false };
  }
  return null;
}

export function encodeGreeting(greeting: Hello | Refusal | OpenChannel): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(greeting));
}

/** Null where the body is none. */
export function decodeHello(body: Uint8Array): Hello | null {
  const { version, jobId, epoch, from, connection } = fieldsOf(body);
  const isWhole = isCount(version) && isCount(epoch) && isCount(connection);
  if (!isWhole || typeof jobId !== 'string' || typeof from !== 'string') return null;
  return { version, jobId, epoch, from, connection };
}

export function decodeRefusal(body: Uint8Array): Refusal | null {
  const { reason, mayComeBack } = fieldsOf(body);
  if (typeof reason !== 'string' || typeof mayComeBack !== 'boolean') return null;
  return { reason, mayComeBack };
}

export function decodeOpen(body: Uint8Array): OpenChannel | null {
  const { key, windowSlots, slotBytes, next, consumed } = fieldsOf(body);
  if (typeof key !== 'string' || !isCount(windowSlots) || !isCount(slotBytes)) return null;
  if (!isCount(next) || !isCount(consumed)) return null;
  return { key, windowSlots, slotBytes, next, consumed };
}

/** Of text that is no JSON, or no object, none. */
function fieldsOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {}; // The caller says what was expected.
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
