/**
 * Finds the files of a source and cuts them into splits.
 *
 *     path          read.txt         that file, whatever its extension
 *                   docs             all files below the folder, hidden ones left out
 *                   docs/x/*.{md,txt}  a glob: the files that match
 *     extensions    ['.md', '.txt']  of a folder or glob only these, upper or lower case
 *
 * With `discoveryIntervalMs` a folder or glob is looked through again and again for files that were not there; they are
 * read as they are found, so a file has to come under its name when it is complete.
 *
 * A path that exists is taken as it is, also when it has characters of a glob in it. Files are sorted
 * by path, so the same input gives the same splits.
 *
 * After: connectors/formats/file-formats.ts
 */
import type { FileStat } from '../../base/env/disk.ts';
import { TypedError } from '../../base/typed-error.ts';
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import {
  type SourceStatistics,
  type Split,
  type SplitDiscovery,
  type SplitEnumerator,
  sumOfSkipped,
} from '../../engine/contracts/source.ts';
import type { PlannedSplits } from '../formats/file-format.ts';
import { fileFormatOf } from '../formats/file-formats.ts';
import type { FileSourceOptions } from './file-options.ts';
import { normalPathOf, withoutEndSlash } from './file-path.ts';
import { rangesOf, type SourceFile } from './file-range.ts';
import { sampleOf, statisticsOfFiles } from './file-statistics.ts';
import { walkFiles } from './file-walk.ts';
import { isGlob, matchesGlob, parseGlob } from './glob.ts';
import {
  differingFilesError,
  emptySourceError,
  notFoundError,
  notRegularError,
  unreadableError,
} from './source-errors.ts';
import { planSplits } from './split-planner.ts';

export class FileEnumerator implements SplitEnumerator {
  readonly #options: FileSourceOptions;
  readonly #context: RoleContext;
  /** Paths of files that have been found, where more are looked for. */
  readonly #known = new Set<string>();
  readonly discoverMore?: () => Promise<SplitDiscovery>;

  constructor(options: FileSourceOptions, context: RoleContext) {
    this.#options = options;
    this.#context = context;
    if (options.discoveryIntervalMs !== undefined) this.discoverMore = () => this.#more();
  }

  restore(known: readonly Split[]): void {
    const { pathsOf = pathsOfRanges } = fileFormatOf(this.#options.format);
    for (const path of known.flatMap(({ payload }) => pathsOf(payload))) this.#known.add(path);
  }

  get discoveryIntervalMs(): number {
    return this.#options.discoveryIntervalMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * @throws SOURCE_NOT_FOUND, SOURCE_UNREADABLE, SOURCE_EMPTY, and what the format throws.
   * @see engine/contracts/source.ts
   */
  async discover(parallelism: number): Promise<SplitDiscovery> {
    return this.#discoveryOf(await this.#files(), parallelism);
  }

  async #more(): Promise<SplitDiscovery> {
    const files = (await this.#files()).filter(({ path }) => !this.#known.has(path));
    return this.#discoveryOf(files, 1);
  }

  async #discoveryOf(files: readonly SourceFile[], parallelism: number): Promise<SplitDiscovery> {
    if (this.#isWatching) for (const { path } of files) this.#known.add(path);
    const planned = this.#context.isOrdered
      ? await this.#sequencesOf(files, parallelism)
      : await this.#splitsOf(files, parallelism);
    return {
      ...planned,
      sizeBytes: planned.splits.reduce((sum, split) => sum + split.sizeBytes, 0),
      inputCount: files.length,
    };
  }

  /** Of a few files, and of all as if they were like these. */
  async statistics(): Promise<SourceStatistics> {
    const files = await this.#files();
    const { format: options } = this.#options;
    const { statistics } = fileFormatOf(options);
    if (statistics === undefined) return statisticsOfFiles(files, []);
    const { disk } = this.#context;
    const sampled = sampleOf(files);
    const known = await Promise.all(sampled.map((file) => statistics({ options, file, disk })));
    return statisticsOfFiles(files, known);
  }

  /** Each file is a sequence: what was written into it first is the oldest, mostly. */
  async #sequencesOf(files: readonly SourceFile[], parallelism: number): Promise<PlannedSplits> {
    // A file that one task reads from end to end is cut no further than it must be: cuts cost reading parts twice.
    const tasks = Math.ceil(parallelism / Math.max(1, files.length));
    const planned: PlannedSplits[] = [];
    for (const file of files) {
      const { splits, ...rest } = await this.#splitsOf([file], tasks);
      planned.push({ ...rest, splits: splits.map((one) => ({ ...one, sequence: file.path })) });
    }
    return {
      splits: planned.flatMap(({ splits }) => splits),
      skipped: sumOfSkipped(planned.flatMap(({ skipped }) => skipped ?? [])),
    };
  }

  async #splitsOf(files: readonly SourceFile[], parallelism: number): Promise<PlannedSplits> {
    const { format: options } = this.#options;
    const format = fileFormatOf(options);
    const isCut = this.#options.split !== false;
    if (format.planSplits === undefined) {
      return { splits: planSplits(files, parallelism, { isCut }) };
    }
    const { disk, predicate = null, filteredColumns = [] } = this.#context;
    const request = { options, parallelism, isCut, disk, predicate, filteredColumns };
    const planOf = async (some: readonly SourceFile[]) =>
      format.planSplits?.({ ...request, files: some });
    try {
      return (await planOf(files)) ?? { splits: [] };
    } catch (error) {
      throw await besideOther(error, files, planOf);
    }
  }

  get #isWatching(): boolean {
    return this.#options.discoveryIntervalMs !== undefined;
  }

  async #files(): Promise<readonly SourceFile[]> {
    const path = normalPathOf(this.#options.path);
    const stat = await this.#stat(path);
    if (stat?.kind === 'file') return [{ path, sizeBytes: stat.sizeBytes }];
    if (stat?.kind === 'folder') return this.#filesOfFolder(withoutEndSlash(path));
    if (stat !== null) throw notRegularError(path);
    if (isGlob(path)) return this.#filesOfGlob(path);
    throw await notFoundError(this.#context.disk, path);
  }

  async #filesOfFolder(path: string): Promise<readonly SourceFile[]> {
    const { files, seenCount } = await walkFiles({
      disk: this.#context.disk,
      root: path,
      depthMax: Number.POSITIVE_INFINITY,
      seesHidden: false,
      isWanted: (below) => this.#hasWantedExtension(below),
    });
    if (files.length === 0 && !this.#isWatching) throw this.#emptyError(path, seenCount, false);
    return files;
  }

  async #filesOfGlob(path: string): Promise<readonly SourceFile[]> {
    const glob = parseGlob(path);
    const base = await this.#stat(glob.base);
    if (base === null) throw await notFoundError(this.#context.disk, glob.base);
    const { files, seenCount } = await walkFiles({
      disk: this.#context.disk,
      root: glob.base,
      depthMax: glob.depthMax,
      seesHidden: glob.seesHidden,
      isWanted: (below) => this.#hasWantedExtension(below) && matchesGlob(glob, below),
    });
    if (files.length === 0 && !this.#isWatching) throw this.#emptyError(path, seenCount, true);
    return files;
  }

  #hasWantedExtension(path: string): boolean {
    const { extensions } = this.#options;
    if (extensions === null) return true;
    const lower = path.toLowerCase();
    return extensions.some((extension) => lower.endsWith(extension.toLowerCase()));
  }

  #emptyError(path: string, seenCount: number, isGlobPath: boolean): Error {
    const { extensions } = this.#options;
    return emptySourceError({ path, seenCount, extensions, isGlob: isGlobPath });
  }

  async #stat(path: string): Promise<FileStat | null> {
    try {
      return await this.#context.disk.stat(path);
    } catch (error) {
      throw unreadableError('path', path, error);
    }
  }
}

function pathsOfRanges(payload: Json): readonly string[] {
  return rangesOf(payload).map(({ path }) => path);
}

/**
 * Names a file of the source that has the columns, beside the one that does not: then the files differ, and it is not
 * the declaration that is wrong. Files are planned in their order, so one of the first two has them.
 */
async function besideOther(
  error: unknown,
  files: readonly SourceFile[],
  planOf: (files: readonly SourceFile[]) => Promise<unknown>,
): Promise<unknown> {
  if (!(error instanceof TypedError) || error.info.code !== 'SCHEMA_MISMATCH') return error;
  const other = files.find(({ path }) => path !== error.info.details?.path);
  if (other === undefined) return error;
  const isRight = await planOf([other]).then(
    () => true,
    () => false,
  );
  return isRight ? differingFilesError(error, other.path) : error;
}
