/**
 * How many rows an Arrow file has, for the planner. Record batches say it themselves, so of a file with
 * many only some are asked, spread over all; the rest is taken to have as many rows in as many bytes.
 */
import type { SourceStatistics } from '../../engine/contracts/source.ts';
import type { StatisticsRequest } from '../formats/file-format.ts';
import { type BatchPlace, scanArrowFile } from './arrow-file-scan.ts';

const askedMax = 16;

/** @throws ARROW_CORRUPT, ARROW_FEATURE_UNSUPPORTED, SOURCE_UNREADABLE, SOURCE_CHANGED */
export async function arrowStatistics({
  file,
  disk,
}: Omit<StatisticsRequest, 'options'>): Promise<SourceStatistics> {
  const { groups } = await scanArrowFile(disk, file, {
    asksRows: (_bodyBytes, index, count) => index % Math.ceil(count / askedMax) === 0,
  });
  const batches = groups.flatMap((group) => group.batches);
  return { rowCount: rowCountOf(batches), sizeBytes: file.sizeBytes, columns: {} };
}

function rowCountOf(batches: readonly BatchPlace[]): number {
  const asked = batches.filter(({ rows }) => rows !== null);
  const rowCount = asked.reduce((sum, { rows }) => sum + (rows?.count ?? 0), 0);
  const bytesOf = (places: readonly BatchPlace[]) =>
    places.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  const factor = asked.length === batches.length ? 1 : bytesOf(batches) / bytesOf(asked);
  return Number.isFinite(factor) ? Math.round(rowCount * factor) : rowCount;
}
