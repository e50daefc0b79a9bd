/** Methods that have files of their own, beside their class: adds them to it, as its own methods are. */
export function addMethods(target: { readonly prototype: object }, methods: object): void {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(target.prototype, name, { value, configurable: true, writable: true });
  }
}
