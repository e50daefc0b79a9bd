/**
 * The answers that a server remembers by idempotency key, so that a repeated call gets the first
 * one's answer and its work is done once. A repeat that comes while the first is in work joins it.
 *
 * Contract: a handler that throws has done nothing; so failures are forgotten and a repeat tries
 * anew (not checked). Bounded: above `answersMax` the oldest finished answers go, so a key protects
 * against repeats that come soon, as retries do, and not for ever.
 */
import type { JsonValue } from './message.ts';

export class AnswerMemory {
  readonly #answersMax: number;
  readonly #answers = new Map<string, Promise<JsonValue>>();
  readonly #inWork = new Set<string>();

  constructor(answersMax: number) {
    this.#answersMax = answersMax;
  }

  /** The remembered answer of `key`, or that of `work`, which is then remembered. */
  once(key: string, work: () => Promise<JsonValue>): Promise<JsonValue> {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = this.#watch(key, work);
    this.#answers.set(key, answer);
    return answer;
  }

  async #watch(key: string, work: () => Promise<JsonValue>): Promise<JsonValue> {
    this.#inWork.add(key);
    try {
      return await work();
    } catch (error) {
      this.#answers.delete(key);
      throw error;
    } finally {
      this.#inWork.delete(key);
      this.#evict();
    }
  }

  #evict(): void {
    if (this.#answers.size <= this.#answersMax) return;
    for (const key of this.#answers.keys()) {
      if (this.#answers.size <= this.#answersMax) return;
      if (!this.#inWork.has(key)) this.#answers.delete(key);
    }
  }
}
