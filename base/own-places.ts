/**
 * Where the package's own code lies, so that a stack can be cut to the user's frames. This file is one
 * folder below the package, as a source and in the bundle.
 */
const ownFolders = ['base', 'cli', 'connectors', 'coordinator', 'dfs', 'dist', 'engine', 'worker'];

const ownPlaces = ownFolders.map((name) => plainPath(new URL(`../${name}/`, import.meta.url).href));

/** Whether a path, or a `file:` URL, of a stack is the package's own code. */
export function isOwnPlace(place: string): boolean {
  const path = plainPath(place);
  return ownPlaces.some((own) => path.startsWith(own));
}

/** `/home/ada/job.ts` for `file:///home/ada/job.ts`; a path stays as it is. */
export function plainPath(place: string): string {
  return place.startsWith('file://') ? decodeURI(place.slice('file://'.length)) : place;
}
