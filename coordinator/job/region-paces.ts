/** How long attempts of regions have run, or took: what stragglers are known by (scheduler/stragglers.ts). */
import type { RegionPace } from '../scheduler/stragglers.ts';
import type { RegionState } from './running-job.ts';

interface Span {
  readonly startMs: number;
  endMs: number | null;
}

export class RegionPaces {
  readonly #mono: () => number;
  /** By region and attempt. */
  readonly #spans = new Map<string, Span>();

  constructor(mono: () => number) {
    this.#mono = mono;
  }

  start(regionId: string, attempt: number): void {
    this.#spans.set(`${regionId} ${attempt}`, { startMs: this.#mono(), endMs: null });
  }

  /** The attempt's work counts from now on; saying so again changes nothing. */
  finish(regionId: string, attempt: number): void {
    const span = this.#spans.get(`${regionId} ${attempt}`);
    if (span !== undefined) span.endMs ??= this.#mono();
  }

  /** Null for a region that neither runs nor is done. @param rowCountOf - Of an attempt, by its number. */
  paceOf(
    regionId: string,
    { done, attempts }: RegionState,
    rowCountOf: (attempt: number) => number,
  ): RegionPace | null {
    const number = done?.number ?? attempts[0]?.number ?? 0;
    const span = this.#spans.get(`${regionId} ${number}`);
    if (span === undefined) return null;
    const ms = (span.endMs ?? this.#mono()) - span.startMs;
    return { isDone: done !== null, ms, rowCount: rowCountOf(number) };
  }
}
