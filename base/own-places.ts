/**
 * Where the package's own code lies, so that a stack can be cut to the user's frames. Run from its
 * sources that is a few folders of the package; run from the bundle (cli/build-bundle.mjs) it is the
 * bundle's folder, in which this file then lies too.
 */
const isBundled = !import.meta.url.endsWith('.ts');

const sourceFolders = ['base', 'cli', 'connectors', 'coordinator', 'dist', 'engine', 'worker'];

const ownPlaces: readonly string[] = isBundled
  ? [plainPath(new URL('.', import.meta.url).href)]
  : sourceFolders.map((name) => plainPath(new URL(`../${name}/`, import.meta.url).href));

/** Whether a path, or a `file:` URL, of a stack is the package's own code. */
export function isOwnPlace(place: string): boolean {
  const path = plainPath(place);
  return ownPlaces.some((own) => path.startsWith(own));
}

/** `/home/ada/job.ts` for `file:///home/ada/job.ts`; a path stays as it is. */
export function plainPath(place: string): string {
  return place.startsWith('file://') ? decodeURI(place.slice('file://'.length)) : place;
}
