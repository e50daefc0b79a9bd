/**
 * PageRank over a file of links, as a chain of MapReduces, one per iteration (Brin and Page 1998):
 *
 *     links ─▶ page → its links ─▶ iteration ─▶ iteration ─▶ … ─▶ ranks, highest first
 *
 * An iteration hands each page's rank to those it links to, in equal shares. `combine` adds shares up where
 * they are made, so between two tasks goes at most one pair per page that they send to. A page's rank is
 * 1 - damping + damping · (the shares it gets); the mean over all pages is 1 where each has a link.
 */
import { defineJob, t } from 'millrace';
import { csv, files } from 'millrace/files';

const Link = t.struct({ from: t.utf8(), to: t.utf8() });
const Page = t.struct({ page: t.utf8(), rank: t.float64(), links: t.list(t.utf8()) });
/** What a page is sent: a share of a rank; or, by itself, its links. */
const Parcel = t.struct({ share: t.float64(), links: t.list(t.utf8()).nullable() });

interface Sent {
  readonly share: number;
  readonly links: readonly string[] | null;
}

function together(parcels: Iterable<Sent>): Sent {
  let share = 0;
  let links: Sent['links'] = null;
  for (const parcel of parcels) {
    share += parcel.share;
    links ??= parcel.links;
  }
  return { share, links };
}

export default defineJob({
  name: 'pagerank',
  params: {
    input: t.path().describe('a CSV file with the columns from and to'),
    output: t.path().default('ranks.csv').describe('the file to write: .csv or .ndjson'),
    iterations: t.int32().default(10).describe('how often ranks are handed on'),
    damping: t.float64().default(0.85).describe('the part of a rank that is handed on'),
    top: t.int64({ js: 'number' }).optional().describe('keep the highest ranks only'),
  },
  build: ({ read, params: { input, output, iterations, damping, top } }) => {
    let pages = read(files.source({ path: input, format: csv(Link) })).mapReduce(
      {
        key: t.utf8(),
        value: t.utf8().nullable(),
        output: Page,
        map: ({ from, to }, emit) => {
          emit(from, to);
          emit(to, null); // A page that only others link to is a page as well.
        },
        reduce: (page, linked) => {
          const links = new Set(
            [...linked].filter((to) => to !== null && to !== page),
          ) as Set<string>;
          return [{ page, rank: 1, links: [...links] }];
        },
      },
      { name: 'pages' },
    );
    for (let iteration = 1; iteration <= iterations; iteration++) {
      pages = pages.mapReduce(
        {
          key: t.utf8(),
          value: Parcel,
          output: Page,
          map: ({ page, rank, links }, emit) => {
            emit(page, { share: 0, links });
            for (const to of links) emit(to, { share: rank / links.length, links: null });
          },
          combine: (_page, parcels) => together(parcels),
          reduce: (page, parcels) => {
            const { share, links } = together(parcels);
            return [{ page, rank: 1 - damping + damping * share, links: links ?? [] }];
          },
        },
        { name: `iteration ${iteration}` },
      );
    }
    return pages
      .select(({ page, rank }) => ({ page, rank }))
      .orderBy((row) => [row.rank.desc(), row.page.asc()])
      .limit(top)
      .writeTo(files.sink({ path: output }));
  },
});
