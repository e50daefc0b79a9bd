/** Verbs that have a file of their own: adds them to the class of streams, as its own methods are. */
export function addVerbs(streams: { readonly prototype: object }, verbs: object): void {
  for (const [name, value] of Object.entries(verbs)) {
    Object.defineProperty(streams.prototype, name, { value, configurable: true, writable: true });
  }
}
