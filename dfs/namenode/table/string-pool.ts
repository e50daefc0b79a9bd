/** Strings that many rows share, such as names of owners: a row has a number, and each string is there once. */

export class StringPool {
  readonly #strings: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** All of them, by number. */
  get strings(): readonly string[] {
    return this.#strings;
  }

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#strings.length);
    this.#strings.push(text);
    return this.#strings.length - 1;
  }

  /** @returns '' for a number that none has. */
  textOf(number: number): string {
    return this.#strings[number] ?? '';
  }
}
