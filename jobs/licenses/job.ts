/**
 * Licenses: which licenses the packages have that npm installed, and how many packages each.
 *
 * The `license` of a package.json stands on a line of its own; a regular expression of linear time takes
 * it out of the text, so no JavaScript runs per line.
 */
import { agg, defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';

/** `  "license": "MIT",` and nothing deeper: what dependencies have inside stands further right. */
const license = /^ {1,4}"license": *"([^"]+)"/;

export default defineJob({
  name: 'licenses',
  params: {
    input: t
      .path()
      .default('node_modules/**/package.json')
      .describe('a package.json, or a glob of them'),
    output: t.path().default('licenses.csv').describe('the file to write: .csv or .ndjson'),
  },
  build: ({ read, params: { input, output } }) =>
    read(files.source({ path: input, format: text() }))
      .select((line) => ({ license: line.text.extract(license, 1) }))
      .where((row) => row.license.isNotNull())
      .keyBy((row) => row.license)
      .aggregate({ packages: agg.count() })
      .orderBy((row) => [row.packages.desc(), row.license.asc()])
      .writeTo(files.sink({ path: output })),
});
