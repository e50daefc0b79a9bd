/**
 * The states of a user's function, one beside the other: found by name, or by the name that they are said to have had.
 *
 * Before: coordinator/compatibility/compare-operators.ts. After: engine/plan/state-change.ts.
 */
import type { DeclaredOperator, DeclaredState } from '../../engine/plan/declared-state.ts';
import { areKindsAlike, oldStateOf, stateChangeOf } from '../../engine/plan/state-change.ts';
import { isSameType, typeText } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { Finding } from './finding.ts';
import type { KeptOperator } from './kept-operators.ts';

type Found = Omit<Finding, 'operatorId' | 'state'>;

export function compareStates(old: KeptOperator, now: DeclaredOperator): Finding[] {
  const { operatorId } = now;
  const used = new Map<DeclaredState, string>();
  const found = now.states.map((state): Finding => {
    const was = oldStateOf(state, old.states);
    if (was === null) return { operatorId, state: state.name, ...begins };
    const other = used.get(was);
    used.set(was, state.name);
    const change = other === undefined ? changeOf(was, state) : twice(was, other, state);
    return { operatorId, state: state.name, ...change };
  });
  const gone = old.states.filter((one) => !used.has(one));
  const dropped = gone.map(
    ({ name }): Finding => ({ operatorId, state: name, ...droppedState(name) }),
  );
  return [...found, ...dropped, ...timers(old, now)];
}

const begins: Found = { verdict: 'new', text: 'begins empty', hint: '' };

function droppedState(name: string): Found {
  return {
    verdict: 'dropped',
    text: 'the operator has no state of this name',
    hint: `Write { was: '${name}' } at the state that it has become; where there is none, leave it out with --allow-non-restored-state.`,
  };
}

function twice(was: DeclaredState, first: string, { name }: DeclaredState): Found {
  const text = `"${first}" and "${name}" both go on from "${was.name}"`;
  return { verdict: 'incompatible', text, hint: 'Let one of them have that name, or was.' };
}

function timers({ hasTimers }: KeptOperator, now: DeclaredOperator): Finding[] {
  if (!hasTimers) return [];
  const { operatorId } = now;
  if (now.hasTimers) return [{ operatorId, state: 'timers', verdict: 'same', text: '', hint: '' }];
  const hint = 'Write onTimer, or leave timers out with --allow-non-restored-state.';
  const text = 'timers are set, and there is no onTimer any more';
  return [{ operatorId, state: 'timers', verdict: 'dropped', text, hint }];
}

function changeOf(old: DeclaredState, now: DeclaredState): Found {
  const wholly = `it was ${stateText(old)}, and is ${stateText(now)}`;
  const asItWas =
    'Declare it as it was, under its name, and the new one under another name beside it.';
  if (!areKindsAlike(old.kind, now.kind))
    return { verdict: 'incompatible', text: wholly, hint: asItWas };
  if (!haveSameKeys(old, now))
    return {
      verdict: 'incompatible',
      text: `${wholly}: keys are found by their bytes`,
      hint: asItWas,
    };
  const life = lifeChange(old, now);
  if (life.isRefused)
    return { verdict: 'incompatible', text: life.text, hint: 'Declare ttl as it was.' };
  const named = old.name === now.name ? [] : [`was "${old.name}"`];
  const kind = old.kind === now.kind ? [] : [`${old.kind} is ${now.kind}`];
  const around = [...named, ...kind, ...(life.text === '' ? [] : [life.text])];
  const change = stateChangeOf(old.value, now);
  switch (change.kind) {
    case 'same':
      return {
        verdict: around.length === 0 ? 'same' : 'changed',
        text: around.join('; '),
        hint: '',
      };
    case 'changed':
      return { verdict: 'changed', text: [...around, ...change.steps].join('; '), hint: '' };
    case 'migrated': {
      const text = `${fieldText(old.value)} becomes ${fieldText(now.value)}, by the job's function`;
      return { verdict: 'migrated', text: [...around, text].join('; '), hint: '' };
    }
    case 'incompatible': {
      const where = change.path === '' ? '' : `${change.path}: `;
      const text = `it was of ${fieldText(old.value)}, and is of ${fieldText(now.value)}: ${where}${change.reason}`;
      return { verdict: 'needs migration', text, hint: migrationHint(old, now, change.path) };
    }
  }
}

/** What to write at the state. */
function migrationHint(old: DeclaredState, now: DeclaredState, path: string): string {
  const isField = /^\w+$/.test(path) && now.value.type.kind === 'struct';
  const others = isField
    ? ` For a field alone: defaults: { ${path}: … }, or renamed: { ${path}: 'old name' }.`
    : '';
  return `Write at "${now.name}": migrate: { from: ${builderText(old.value)}, with: (old) => … }, which answers a ${fieldText(now.value)}.${others}`;
}

function haveSameKeys({ key: old }: DeclaredState, { key: now }: DeclaredState): boolean {
  if (old === null || now === null) return old === now;
  return old.nullable === now.nullable && isSameType(old.type, now.type);
}

/** Entries keep the times at which they go; places of a map that have expired are known by its ttl. */
function lifeChange({ ttl: old }: DeclaredState, { ttl: now, kind }: DeclaredState) {
  if (JSON.stringify(old) === JSON.stringify(now)) return { isRefused: false, text: '' };
  if (old !== null && now === null && kind === 'map') {
    return { isRefused: true, text: 'entries of a map that went by themselves do not go any more' };
  }
  if (old !== null && now !== null && old.time !== now.time) {
    return {
      isRefused: true,
      text: `entries go by ${now.time} time, and were to go by ${old.time} time`,
    };
  }
  return { isRefused: false, text: 'entries that are there live as long as they would have' };
}

function stateText({ kind, key, value }: DeclaredState): string {
  return `${kind} of ${key === null ? '' : `${fieldText(key)} to `}${fieldText(value)}`;
}

function fieldText({ type, nullable }: Field): string {
  return `${typeText(type)}${nullable ? '?' : ''}`;
}

/** As a job writes it: `t.struct({ sum: t.int64(), name: t.utf8().nullable() })`. */
function builderText({ type, nullable }: Pick<Field, 'type' | 'nullable'>): string {
  const end = nullable ? '.nullable()' : '';
  switch (type.kind) {
    case 'int64':
      return `t.int64(${type.js === 'number' ? "{ js: 'number' }" : ''})${end}`;
    case 'decimal':
      return `t.decimal(${type.precision}, ${type.scale})${end}`;
    case 'timestamp':
      return `t.${type.unit === 'ms' ? 'timestampMs' : 'timestampUs'}()${end}`;
    case 'list':
      return `t.list(${builderText(type.item)})${end}`;
    case 'struct': {
      const fields = type.fields.map((field) => `${field.name}: ${builderText(field)}`);
      return `t.struct({ ${fields.join(', ')} })${end}`;
    }
    default:
      return `t.${type.kind}()${end}`;
  }
}
