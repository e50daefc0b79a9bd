/** Group columns: results of segments that no cells can hold; what is open at the end of a batch is carried on. */
import type { Batch, Column } from '../../batch/batch.ts';
import type { Rooms } from '../result-column.ts';
import type { SegmentRecords } from './segment-records.ts';

export interface GroupColumns {
  /** Adds the rows of a batch; the results of its segments but the last one, in rooms. */
  add(batch: Batch, records: SegmentRecords, rooms: Rooms): Column[];
  /** The result of the segment that is open at the end, in rooms. */
  end(rooms: Rooms): Column[];
  close(): void;
}
