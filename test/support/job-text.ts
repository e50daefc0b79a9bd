/** Job files as a user writes them, for tests that put them in a folder outside of the package. */

export interface JobTextOptions {
  /** More parameters beside `input` and `output`, as in the declaration. */
  readonly params?: string;
  /** Code before the job: functions, more imports. */
  readonly before?: string;
}

/** A job from lines of text to a file; `chain` is what stands between, such as `.limit(3)`. */
export function jobText(chain: string, { params = '', before = '' }: JobTextOptions = {}): string {
  return `import { agg, defineJob, explode, t, words } from 'millrace';
import { files, text } from 'millrace/files';
${before}
export default defineJob({
  name: 'mine',
  params: { input: t.path(), output: t.path(), ${params} },
  build: ({ read, params }) =>
    read(files.source({ path: params.input, format: text() }))
      ${chain}
      .writeTo(files.sink({ path: params.output })),
});
`;
}
