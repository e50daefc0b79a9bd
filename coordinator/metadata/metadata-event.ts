/**
 * What a coordinator must not forget, as events: one per decision, in the past tense. Each kind has a version
 * of its own. An event that is read may have been written by an older Millrace: `upcast` brings it to the
 * form of today; one of a newer version, or of a kind that is not known, is refused, for leaving it out would
 * make another state of the same log.
 *
 * In the log: never rename a kind or a field; a changed meaning is a new version, with a step that upcasts.
 * Before: coordinator/metadata/metadata-log.ts. After: coordinator/metadata/metadata-state.ts.
 */
import type { JsonValue } from '../../base/rpc/message.ts';
import { typedError } from '../../base/typed-error.ts';

/** Slots of a job's attempt by worker; `incarnation` tells which life of it. */
export interface Placement {
  readonly [workerId: string]: { readonly incarnation: number; readonly slots: number };
}

export type MetadataEvent =
  | {
      readonly kind: 'termBegan';
      readonly term: number;
      readonly coordinatorId: string;
      readonly address: string;
    }
  | {
      readonly kind: 'workerRegistered';
      readonly workerId: string;
      readonly incarnation: number;
      readonly instance: string;
      readonly address: string;
      readonly slots: number;
      readonly memoryBytes: number;
    }
  | {
      readonly kind: 'workerGone';
      readonly workerId: string;
      readonly incarnation: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'namespaceSet';
      readonly namespace: string;
      readonly slotsMax: number;
      readonly memoryBytesMax: number;
    }
  | {
      readonly kind: 'jobSubmitted';
      readonly jobId: string;
      readonly name: string;
      readonly namespace: string;
      readonly priority: number;
      readonly slots: number;
      readonly memoryBytes: number;
      /** Hash of the bundle that its module is in. */
      readonly bundle: string;
      /** What else the submission said, as the client sent it. */
      readonly spec: JsonValue;
    }
  | {
      readonly kind: 'attemptStarted';
      readonly jobId: string;
      readonly epoch: number;
      readonly placement: Placement;
    }
  | {
      readonly kind: 'checkpointCompleted';
      readonly jobId: string;
      readonly epoch: number;
      readonly checkpointId: number;
      readonly path: string;
    }
  | {
      readonly kind: 'attemptEnded';
      readonly jobId: string;
      readonly epoch: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'jobEnded';
      readonly jobId: string;
      readonly status: JobEnd;
      readonly reason: string;
      readonly rowsIn: number;
      readonly rowsOut: number;
      /** A WireError, of one that has failed; else null. */
      readonly error: JsonValue;
    }
  | {
      readonly kind: 'scheduleSet';
      readonly name: string;
      readonly cron: string;
      readonly spec: JsonValue;
    }
  | { readonly kind: 'scheduleRemoved'; readonly name: string }
  | { readonly kind: 'scheduleFired'; readonly name: string; readonly dueAtMs: number }
  | {
      readonly kind: 'scheduleSkipped';
      readonly name: string;
      readonly dueAtMs: number;
      readonly reason: string;
    };

export type JobEnd = 'finished' | 'failed' | 'cancelled' | 'stopped';

type Kind = MetadataEvent['kind'];
type Fields<E> = { readonly [F in Exclude<keyof E, 'kind'>]: FieldType<E[F]> };
type FieldType<V> = V extends string ? 'string' : V extends number ? 'number' : 'json';
type FieldsOf<K extends Kind> = Fields<Extract<MetadataEvent, { kind: K }>>;

/** The fields of each kind as they are today; what is `json` is checked by who uses it. */
const fieldsOf: { readonly [K in Kind]: FieldsOf<K> } = {
  termBegan: { term: 'number', coordinatorId: 'string', address: 'string' },
  workerRegistered: {
    ...{ workerId: 'string', incarnation: 'number', instance: 'string' },
    ...{ address: 'string', slots: 'number', memoryBytes: 'number' },
  },
  workerGone: { workerId: 'string', incarnation: 'number', reason: 'string' },
  namespaceSet: { namespace: 'string', slotsMax: 'number', memoryBytesMax: 'number' },
  jobSubmitted: {
    ...{ jobId: 'string', name: 'string', namespace: 'string', priority: 'number' },
    ...{ slots: 'number', memoryBytes: 'number', bundle: 'string', spec: 'json' },
  },
  attemptStarted: { jobId: 'string', epoch: 'number', placement: 'json' },
  checkpointCompleted: { jobId: 'string', epoch: 'number', checkpointId: 'number', path: 'string' },
  attemptEnded: { jobId: 'string', epoch: 'number', reason: 'string' },
  jobEnded: {
    ...{ jobId: 'string', status: 'string', reason: 'string' },
    ...{ rowsIn: 'number', rowsOut: 'number', error: 'json' },
  },
  scheduleSet: { name: 'string', cron: 'string', spec: 'json' },
  scheduleRemoved: { name: 'string' },
  scheduleFired: { name: 'string', dueAtMs: 'number' },
  scheduleSkipped: { name: 'string', dueAtMs: 'number', reason: 'string' },
};

type Stored = Readonly<Record<string, JsonValue>>;

/** Steps from version n + 1 to n + 2 of a kind; a kind without any is at version 1. */
const upcasts: Partial<Record<Kind, readonly ((event: Stored) => Stored)[]>> = {
  // Version 1 said nothing of rows.
  jobEnded: [(event) => ({ ...event, rowsIn: 0, rowsOut: 0, error: null })],
};

/** As the log keeps it. */
export function encodeEvent(event: MetadataEvent): JsonValue {
  return { v: versionOf(event.kind), ...event } as unknown as JsonValue;
}

/** @throws METADATA_VERSION, METADATA_LOG_DAMAGED */
export function decodeEvent(stored: JsonValue, position: number): MetadataEvent {
  const event = (stored ?? {}) as Stored;
  const { kind, v } = event;
  if (typeof kind !== 'string' || typeof v !== 'number') throw malformedError(position, 'no kind');
  const isKnown = Object.hasOwn(fieldsOf, kind) && v <= versionOf(kind as Kind);
  if (!isKnown) throw newerError(kind, v, position);
  const steps = upcasts[kind as Kind] ?? [];
  const { v: _, ...today } = steps.slice(v - 1).reduce((older, step) => step(older), event);
  for (const [field, type] of Object.entries(fieldsOf[kind as Kind])) {
    const value = today[field];
    const isRight = type === 'json' ? value !== undefined : typeof value === type;
    if (!isRight) throw malformedError(position, `${kind} without ${field}`);
  }
  return today as unknown as MetadataEvent;
}

function versionOf(kind: Kind): number {
  return 1 + (upcasts[kind]?.length ?? 0);
}

function malformedError(position: number, what: string) {
  return typedError('METADATA_LOG_DAMAGED', `event ${position} of the metadata log: ${what}`, {
    hint: 'Somebody else has written to the log. Bring it back from a copy.',
    details: { position },
  });
}

function newerError(kind: string, version: number, position: number) {
  const message = `event ${position} of the metadata log is "${kind}" of version ${version}`;
  return typedError('METADATA_VERSION', message, {
    hint: 'A newer Millrace has written it. Start that one again.',
    details: { position, version },
  });
}
