/**
 * Row kinds: what a row of a changelog does to the result that it is part of.
 *
 *     +I insert   -U update-before   +U update-after   -D delete
 *
 * A stream of changes has one column more than its schema, of these numbers; a stream without it only adds rows.
 * Operators that know nothing of changes carry it as they carry any column.
 */
import { type FieldType, int8Type } from '../schema/field-type.ts';

/** Even kinds add a row, odd ones take one away: kernels and expressions rely on it. */
export const rowKinds = { insert: 0, updateBefore: 1, updateAfter: 2, delete: 3 } as const;

/** As sinks write them, by number. */
export const rowKindTexts = ['+I', '-U', '+U', '-D'] as const;

export const rowKindType: FieldType = int8Type;

/** What the column is called, unless a field of the job has that name. */
export const rowKindName = 'rowKind';

/**
 * What a stream's rows are: added alone; the new row of a key, or that it is gone; or every row that comes and goes,
 * so that also what knows no key can follow.
 */
export type ChangeMode = 'append' | 'upsert' | 'retract';
