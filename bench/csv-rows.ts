/** Rows of a CSV text without line breaks in its values, the header first. A quote within quotes is two. */
export function csvRows(text: string): string[][] {
  const value = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((row) =>
      [...row.matchAll(value)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
}
