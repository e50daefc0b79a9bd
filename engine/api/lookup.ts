/** `lookup`: what may be asked of it, and its logical content. */
import { typedError } from '../../base/typed-error.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import type { LookupCacheSpec, LookupSpec } from '../plan/lookup-spec.ts';
import type { LookupFunction } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import type { Together } from './grouping.ts';
import type { NullableColumns } from './join.ts';
import { callLambda, describe, expressionIn, type RowInputOf, type Shown } from './row.ts';
import type { ColumnsOf } from './value-type.ts';
import { functionIn } from './verb-arguments.ts';

/** How a stream asks another system for rows by key; C are its columns, F the fields of answers. */
export interface LookupOptions<C, F, K extends ColumnKind, V, T extends LookupType>
  extends LookupLimits {
  /** The field whose values are asked for. A row whose key is null asks for nothing, and finds nothing. */
  readonly key: (row: C) => Column<K, V, boolean>;
  /** Finds the row of a key; null where there is none. Called once for all rows that ask for a key at a time. */
  readonly lookup: (
    key: V,
  ) => Promise<RowInputOf<ColumnsOf<F>> | null> | RowInputOf<ColumnsOf<F>> | null;
  /**
   * `left` gives nulls to rows that nothing is found for, `inner` leaves them out.
   * @defaultValue 'left'
   */
  readonly type?: T;
}

/** What becomes of rows that nothing is found for: `left` keeps them with nulls, `inner` drops them. */
export type LookupType = 'left' | 'inner';

/** The columns of the row, then those of the answer. */
export type LookedUp<C, F, T extends LookupType> = Shown<
  Together<C, T extends 'inner' ? ColumnsOf<F> : NullableColumns<ColumnsOf<F>>>
>;

/** How often, how long and how many; all per task. */
export interface LookupLimits {
  /** Whether rows keep their order; without, a slow answer holds no other row back. @defaultValue true */
  readonly isOrdered?: boolean;
  /** How long a question may take, in milliseconds, 1 or more. @defaultValue 10_000 */
  readonly timeoutMs?: number;
  /** How often a question is asked, the first time included, before its failure ends the job. @defaultValue 3 */
  readonly attemptsMax?: number;
  /** Milliseconds between the first two attempts; doubled after each. @defaultValue 100 */
  readonly retryDelayMs?: number;
  /** Questions under way at once, 1 or more. @defaultValue 100 */
  readonly capacity?: number;
  /** What is remembered. @defaultValue nothing */
  readonly cache?: LookupCache;
}

/** Answers that are kept for rows to come. */
export interface LookupCache {
  /** Answers that are remembered; those asked for longest ago go first. */
  readonly entriesMax: number;
  /** For how long, in milliseconds. */
  readonly ttlMs: number;
  /** The same for keys that nothing was found for. @defaultValue a tenth of `ttlMs` */
  readonly missingTtlMs?: number;
  /**
   * Answers are forgotten up to this part of their time earlier, each key by its own, so that not all are asked for
   * again at once. From 0 to 1. @defaultValue 0.1
   */
  readonly jitter?: number;
}

interface GivenLookup extends LookupLimits {
  readonly key: (row: never) => unknown;
  readonly lookup: unknown;
  readonly type?: unknown;
}

/** @throws JOB_ARGUMENT_INVALID, PLAN_DUPLICATE_NAME */
export function lookupParts(
  input: Schema,
  found: Schema,
  options: GivenLookup,
): { readonly content: NodeContent; readonly functions: LookupFunction } {
  const { key: keyLambda, type = 'left' } = options;
  if (type !== 'left' && type !== 'inner') {
    throw typedError('JOB_ARGUMENT_INVALID', `type of lookup is ${describe(type)}`, {
      hint: 'Give "left" or "inner".',
    });
  }
  const expr = expressionIn('lookup', callLambda('lookup', input, keyLambda), 'a field');
  if (expr.kind !== 'column') {
    throw typedError('JOB_ARGUMENT_INVALID', 'the key of lookup is a field of the rows', {
      hint: 'Make the field first: derive((row) => ({ id: … })).lookup(…, { key: (row) => row.id }).',
    });
  }
  const twice = found.fields.find(({ name }) => input.fields.some((field) => field.name === name));
  if (twice !== undefined) {
    throw typedError(
      'PLAN_DUPLICATE_NAME',
      `lookup finds "${twice.name}", which rows have already`,
      {
        hint: 'Give the field of the answer another name.',
      },
    );
  }
  const fields = found.fields.map((field) => {
    return { ...field, nullable: field.nullable || type === 'left' };
  });
  const spec: LookupSpec = { key: expr.name, type, ...limitsOf(options) };
  const lookup = functionIn('lookup', options.lookup) as LookupFunction['lookup'];
  return {
    content: { kind: 'lookup', ...spec, schema: { fields: [...input.fields, ...fields] } },
    functions: { kind: 'lookup', lookup },
  };
}

function limitsOf(limits: LookupLimits): Omit<LookupSpec, 'key' | 'type'> {
  const { isOrdered = true, timeoutMs = 10_000, attemptsMax = 3 } = limits;
  const { retryDelayMs = 100, capacity = 100, cache } = limits;
  whole('timeoutMs', timeoutMs, 1);
  whole('attemptsMax', attemptsMax, 1);
  whole('retryDelayMs', retryDelayMs, 0);
  whole('capacity', capacity, 1);
  return { isOrdered, timeoutMs, attemptsMax, retryDelayMs, capacity, cache: cacheOf(cache) };
}

function cacheOf(cache: LookupCache | undefined): LookupCacheSpec {
  if (cache === undefined) return { entriesMax: 0, ttlMs: 0, missingTtlMs: 0, jitter: 0 };
  const { entriesMax, ttlMs, jitter = 0.1 } = cache;
  whole('cache.entriesMax', entriesMax, 0);
  whole('cache.ttlMs', ttlMs, 0);
  const { missingTtlMs = Math.floor(ttlMs / 10) } = cache;
  whole('cache.missingTtlMs', missingTtlMs, 0);
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) {
    throw typedError('JOB_ARGUMENT_INVALID', `cache.jitter of lookup is ${describe(jitter)}`, {
      hint: 'Give a number from 0 to 1: the part of the time by which answers are forgotten earlier.',
    });
  }
  return { entriesMax, ttlMs, missingTtlMs, jitter };
}

function whole(what: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw typedError('JOB_ARGUMENT_INVALID', `${what} of lookup is ${describe(value)}`, {
    hint: `Give a whole number, ${min} or more.`,
  });
}
