/** What an operator says whose share of the memory is too small to go on with rows on disk. */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { formatBytes } from '../../base/units.ts';
import type { OperatorContext } from './operator.ts';

export interface TooSmallOptions {
  /** What it would do: `sort`, `group`, `join`. */
  readonly verb: string;
  /** The least share with which it can. */
  readonly leastBytes: number;
  /** Of the largest row, where that is what takes so much. @defaultValue it is not */
  readonly rowBytes?: number;
  readonly cause?: unknown;
}

/** The error where the share is less than the least for rows of so many bytes; nothing where there are none such. */
export function checkLargeRows(
  context: OperatorContext,
  options: TooSmallOptions & { readonly rowBytes: number },
): void {
  const { rowBytes, leastBytes } = options;
  if (rowBytes > 0 && leastBytes > context.spill.share.bytes)
    throw memoryTooSmall(context, options);
}

export function memoryTooSmall(
  { name, spill }: OperatorContext,
  { verb, leastBytes, rowBytes = 0, cause }: TooSmallOptions,
): TypedError {
  const total = Math.ceil(spill.share.totalFor(leastBytes) / 2 ** 20);
  const [needed, had] = [formatBytes(leastBytes), formatBytes(spill.share.bytes)];
  const rows = rowBytes === 0 ? '' : ` rows of up to ${formatBytes(rowBytes)}`;
  const message = `"${name}" needs ${needed} of memory to ${verb}${rows} on disk, and has ${had}`;
  return typedError('MEMORY_TOO_SMALL', message, {
    hint: `Give the job --memory ${total}MB or more, or run it with a lower --parallelism.`,
    details: { operator: name, leastBytes, shareBytes: spill.share.bytes },
    cause,
  });
}
