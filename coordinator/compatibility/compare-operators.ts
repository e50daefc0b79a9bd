/**
 * One operator of a checkpoint beside the job's: is it there, is it the same kind, are its rows kept by the same key, and do
 * they mean the same. Then its states, or, of operators of the engine, what they keep as a whole.
 *
 * Before: coordinator/compatibility/compatibility.ts. After: coordinator/compatibility/compare-states.ts.
 */
import type { DeclaredOperator, Setting } from '../../engine/plan/declared-state.ts';
import { fieldsText, isSameType } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import { columnsChange } from './compare-columns.ts';
import { compareStates } from './compare-states.ts';
import type { DeclaredJob, Finding, Verdict } from './finding.ts';
import type { KeptOperator } from './kept-operators.ts';

export function compareOperators(old: KeptOperator, job: DeclaredJob): Finding[] {
  const { operatorId } = old;
  const now = job.declared.find((one) => one.operatorId === operatorId);
  if (now === undefined) return droppedOperator(old);
  const problem = operatorProblem(old, now);
  const names = namesOf(old, now);
  if (problem !== null) {
    const hint = problem.hint === '' ? beginAnewHint(operatorId) : problem.hint;
    return names.map((state) => findingOf(operatorId, state, { ...problem, hint }));
  }
  if (old.states.length > 0 || now.states.length > 0) return compareStates(old, now);
  const found = wholeChange(old, now, job);
  return names.map((state) => findingOf(operatorId, state, found));
}

interface Found {
  readonly verdict: Verdict;
  readonly text: string;
  readonly hint: string;
}

function findingOf(operatorId: string, state: string, { verdict, text, hint }: Found): Finding {
  return { operatorId, state, verdict, text, hint };
}

function incompatible(text: string, hint = ''): Found {
  return { verdict: 'incompatible', text, hint };
}

/** What findings are about: each state, or what there is of the operator. */
function namesOf(
  { states, holds, descriptions }: KeptOperator,
  now: DeclaredOperator,
): readonly string[] {
  if (states.length > 0) return states.map(({ name }) => name);
  if (holds.length > 0) return holds;
  // Nothing is kept: nothing can be lost.
  return now.states.length > 0 ? [descriptions[0]?.kind ?? ''] : [];
}

function droppedOperator({ operatorId, states, holds }: KeptOperator): Finding[] {
  const text = 'the job has no operator with this id';
  const hint = `Write { id: '${operatorId}' } at the operator whose state it is; where there is none any more, leave it out with --allow-non-restored-state.`;
  const names = holds.length === 0 ? [] : [...states.map(({ name }) => name), ...othersOf(holds)];
  return names.map((state) => ({ operatorId, state, verdict: 'dropped', text, hint }));
}

/** What is no state that has a name. */
function othersOf(holds: readonly string[]): string[] {
  return holds.filter((name) => !name.startsWith('state-') && !name.startsWith('broadcast-'));
}

/** Why nothing that the operator keeps can be gone on with; null where that depends. */
function operatorProblem(
  { declared, descriptions, holds }: KeptOperator,
  now: DeclaredOperator,
): Found | null {
  if (holds.length === 0) return null;
  if (declared !== null && declared.kind !== now.kind) {
    return incompatible(`it was of ${declared.kind}, and is of ${now.kind}`);
  }
  const keys = declared?.keys ?? descriptions.find((one) => one.keys.length > 0)?.keys ?? null;
  // A manifest of the first version has no keys of joins.
  if (keys === null || (declared === null && keys.length !== now.keys.length)) return null;
  if (areAlike(keys, now.keys)) return null;
  return incompatible(`it was kept by ${keysText(keys)}, and is kept by ${keysText(now.keys)}`);
}

/** By place: a key may have another name. */
function areAlike(old: readonly Field[], now: readonly Field[]): boolean {
  const isAlike = ({ type, nullable }: Field, at: number) => {
    const other = now[at];
    return other !== undefined && other.nullable === nullable && isSameType(type, other.type);
  };
  return old.length === now.length && old.every(isAlike);
}

function keysText(keys: readonly Field[]): string {
  return keys.length === 0 ? 'nothing' : fieldsText(keys);
}

/** Of an operator of the engine. */
function wholeChange(old: KeptOperator, now: DeclaredOperator, job: DeclaredJob): Found {
  const { declared, descriptions, operatorId } = old;
  if (declared === null) {
    const text = 'the checkpoint does not say what it was declared as: not compared';
    const isSame = descriptions.every(({ kind, fingerprint }) =>
      job.operators.some(
        (one) =>
          one.operatorId === operatorId && one.kind === kind && one.fingerprint === fingerprint,
      ),
    );
    return { verdict: isSame ? 'same' : 'changed', text: isSame ? '' : text, hint: '' };
  }
  const changed = firstChanged(declared.settings, now.settings);
  const isCondition = changed?.name === 'condition' && typeOf(now) === 'inner';
  if (changed !== null && !isCondition) {
    const { name, was, is } = changed;
    return incompatible(`${name}: was ${was}, and is ${is}`, beginAnewHint(operatorId));
  }
  const steps = isCondition ? ['the condition is another one from here on'] : [];
  const keyed = keysChange(old, job);
  if (keyed !== null) return incompatible(keyed, beginAnewHint(operatorId));
  const results = resultsChange(declared, now);
  if (typeof results === 'string') return incompatible(results, beginAnewHint(operatorId));
  const columns = columnsChange(descriptions, job.operators);
  if (typeof columns === 'string') return incompatible(columns, columnsHint);
  const all = [...steps, ...results, ...columns];
  return { verdict: all.length === 0 ? 'same' : 'changed', text: all.join('; '), hint: '' };
}

/** Of the plan's own keys, such as all columns of distinct rows; null where they are alike. */
function keysChange(
  { operatorId, descriptions }: KeptOperator,
  { operators }: DeclaredJob,
): string | null {
  for (const { kind, keys } of descriptions) {
    const other = operators.find((one) => one.operatorId === operatorId && one.kind === kind);
    if (other === undefined || areAlike(keys, other.keys)) continue;
    return `it was kept by ${keysText(keys)}, and is kept by ${keysText(other.keys)}`;
  }
  return null;
}

const columnsHint =
  'Rows that are kept have no values for it: let nothing behind the operator use it, or derive it behind the operator; or begin anew without the checkpoint.';

function beginAnewHint(operatorId: string): string {
  return `Declare it as it was; or give the operator another id than "${operatorId}" and pass --allow-non-restored-state: it begins empty then.`;
}

function typeOf({ settings }: DeclaredOperator): string | undefined {
  return settings.find(({ name }) => name === 'type')?.text;
}

function firstChanged(old: readonly Setting[], now: readonly Setting[]) {
  for (const { name, text: was } of old) {
    const is = now.find((one) => one.name === name)?.text ?? 'not said';
    if (was !== is) return { name, was, is };
  }
  const added = now.find(({ name }) => !old.some((one) => one.name === name));
  return added === undefined ? null : { name: added.name, was: 'not said', is: added.text };
}

/** Results that are found by several operators: one more, or one less, changes what they keep of the others. */
const composed = /^(approx|countDistinct|quantile|median)/i;

/** What is different, as phrases; a text where the state can't have it. */
function resultsChange(
  { results: old, settings }: DeclaredOperator,
  { results: now }: DeclaredOperator,
): string[] | string {
  const steps: string[] = [];
  for (const { name, text } of now) {
    const was = old.find((one) => one.name === name);
    if (was === undefined)
      return `"${name}" is new: what it is made of has not been kept for open windows`;
    if (was.text !== text) return `"${name}" was ${was.text}, and is ${text}`;
  }
  const gone = old.filter(({ name }) => !now.some((one) => one.name === name));
  if (gone.length === 0) return steps;
  const isOfWindows = settings.some(({ name, text }) => name === 'windows' && text !== 'none');
  if (!isOfWindows)
    return `"${gone[0]?.name}" is gone, and results that change are kept with all of them`;
  const mixed = [...old, ...now].find(({ text }) => composed.test(text));
  if (mixed !== undefined)
    return `"${gone[0]?.name}" is gone, and "${mixed.name}" is kept in another way without it`;
  return gone.map(({ name }) => `"${name}" left out`);
}
