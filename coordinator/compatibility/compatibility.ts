/**
 * Compatibility: what becomes of each state in a checkpoint when a job goes on from it that may be another version: a pure
 * function of the manifest and of what the job declares, asked before anything stops or starts.
 *
 *     same              as it is
 *     changed           in a way that says itself: wider, a field more, another name that is declared
 *     migrated          by a function of the job
 *     new               of an operator or a name that the checkpoint does not have: begins empty
 *     needs migration   refused: a function is to be written
 *     incompatible      refused
 *     dropped           of what the job has no more: refused unless it may be left out
 *
 * Before: coordinator/checkpoint/restore-check.ts. After: coordinator/compatibility/compare-operators.ts.
 */
import type { CheckpointManifest } from '../checkpoint/checkpoint-manifest.ts';
import { ambiguousIds } from './ambiguous-ids.ts';
import { compareOperators } from './compare-operators.ts';
import type { DeclaredJob, Finding } from './finding.ts';
import { keptOperators } from './kept-operators.ts';

/** In the order of the checkpoint's operators, then what is new. */
export function compatibilityOf(manifest: CheckpointManifest, job: DeclaredJob): Finding[] {
  const kept = keptOperators(manifest);
  const ambiguous = ambiguousIds(kept, job.declared);
  const ids = new Set(ambiguous.map(({ operatorId }) => operatorId));
  const found = kept
    .filter(({ operatorId }) => !ids.has(operatorId))
    .flatMap((operator) => compareOperators(operator, job));
  return [...ambiguous, ...found, ...newOperators(manifest, job)];
}

/** Those that refuse, and what is only left out. */
export function refusalsIn(findings: readonly Finding[]): {
  readonly refused: readonly Finding[];
  readonly dropped: readonly Finding[];
} {
  return {
    refused: findings.filter(
      ({ verdict }) => verdict === 'incompatible' || verdict === 'needs migration',
    ),
    dropped: findings.filter(({ verdict }) => verdict === 'dropped'),
  };
}

/** Operators that keep something, and that the checkpoint does not know. */
function newOperators({ operators }: CheckpointManifest, { declared }: DeclaredJob): Finding[] {
  const old = new Set(operators.map(({ operatorId }) => operatorId));
  return declared
    .filter(({ operatorId }) => !old.has(operatorId))
    .flatMap(({ operatorId, states, kind }) => {
      const names = states.length > 0 ? states.map(({ name }) => name) : [kind];
      const begins = { verdict: 'new' as const, text: 'begins empty', hint: '' };
      return names.map((state) => ({ operatorId, state, ...begins }));
    });
}
