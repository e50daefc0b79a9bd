/** What a join says when its share can't hold the rows that have to be kept in memory. */
import { typedError } from '../../../base/typed-error.ts';
import { formatBytes } from '../../../base/units.ts';
import type { OperatorContext } from '../operator.ts';

/** @param missingBytes - What it would have needed besides. */
export function joinStateTooLarge(
  { name, spill }: Pick<OperatorContext, 'name' | 'spill'>,
  missingBytes: number,
): Error {
  const { bytes } = spill.share;
  const total = Math.ceil(spill.share.totalFor(bytes + missingBytes) / 2 ** 20);
  const message = `"${name}" keeps more rows for its partners than its share of ${formatBytes(bytes)} holds`;
  return typedError('JOIN_STATE_TOO_LARGE', message, {
    hint: `Give the job --memory ${total}MB or more, or keep fewer rows: filter them in front of the join, or make its interval or window shorter.`,
    details: { operator: name, shareBytes: bytes, missingBytes },
  });
}
