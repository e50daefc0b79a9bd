/**
 * Ids that may have moved: two operators are alike, so their ids are told apart by their order alone (`process-user`,
 * `process-user-2`), and there were more of them, or fewer, when the checkpoint was taken. What they are declared as and what they
 * read may still tell them apart; where not, only the user can say whose the state is, by giving ids.
 *
 * Before: coordinator/compatibility/compatibility.ts. After: engine/plan/operator-ids.ts.
 */
import type { DeclaredOperator } from '../../engine/plan/declared-state.ts';
import type { Finding } from './finding.ts';
import type { KeptOperator } from './kept-operators.ts';

export function ambiguousIds(
  kept: readonly KeptOperator[],
  declared: readonly DeclaredOperator[],
): Finding[] {
  const [oldIds, nowIds] = [idsOf(kept), idsOf(declared)];
  return declared.flatMap(({ operatorId, idOrigin, kind }): Finding[] => {
    const old = kept.find((one) => one.operatorId === operatorId);
    if (old === undefined || old.holds.length === 0 || idOrigin === null) return [];
    const base = baseOf(operatorId, [...nowIds, ...oldIds]);
    const [before, after] = [membersOf(base, oldIds), membersOf(base, nowIds)];
    const isAlone = before.length <= 1 && after.length <= 1;
    if (isAlone || before.join() === after.join()) return [];
    const members = declared.filter((one) => after.includes(one.operatorId));
    const others = kept.filter((one) => before.includes(one.operatorId));
    const found = old.declared === null ? null : memberLike(old.declared, others, members);
    if (found === operatorId) return [];
    const place = found === null ? '' : `; it seems to be "${found}" now`;
    const text = `it is told from others like it by order alone, and there were ${before.length} (${before.join(', ')}), and are ${after.length} now${place}`;
    const hint = `Give each of them an id: { id: '${operatorId}' } to the one whose state this is, and to the others ids of their own.`;
    return [{ operatorId, state: kind, verdict: 'incompatible', text, hint }];
  });
}

/** The one that is declared as the operator was and reads the same, or at least by the same key; null where several are, or none. */
function memberLike(
  old: DeclaredOperator,
  before: readonly KeptOperator[],
  after: readonly DeclaredOperator[],
): string | null {
  for (const textOf of [wholeText, placeText]) {
    const text = textOf(old);
    const found = after.filter((one) => textOf(one) === text);
    if (found.length === 0) continue;
    const twins = before.filter(({ declared }) => declared !== null && textOf(declared) === text);
    return found.length === 1 && twins.length === 1 ? (found[0]?.operatorId ?? null) : null;
  }
  return null;
}

function wholeText(operator: DeclaredOperator): string {
  const { settings, results, states } = operator;
  const names = states.map(({ name, kind }) => [name, kind]);
  return JSON.stringify([placeText(operator), settings, results, names]);
}

function placeText({ kind, keys, reads }: DeclaredOperator): string {
  return JSON.stringify([kind, keys.map(({ name }) => name), reads]);
}

function idsOf(operators: readonly { readonly operatorId: string }[]): Set<string> {
  return new Set(operators.map(({ operatorId }) => operatorId));
}

/** `process-user` of `process-user-2`, where there is one of that name, or another number of it. */
function baseOf(id: string, known: readonly string[]): string {
  const shorter = id.replace(/-\d+$/, '');
  const isBase = (one: string) => one === shorter || /^-\d+$/.test(one.slice(shorter.length));
  const isNumbered =
    shorter !== id && known.some((one) => one !== id && one.startsWith(shorter) && isBase(one));
  return isNumbered ? shorter : id;
}

function membersOf(base: string, ids: ReadonlySet<string>): string[] {
  return [...ids]
    .filter(
      (id) => id === base || (id.startsWith(`${base}-`) && /^-\d+$/.test(id.slice(base.length))),
    )
    .sort();
}
