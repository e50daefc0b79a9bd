/**
 * Goal: the plans of jobs, and the messages for mistakes in them, are what was reviewed.
 *
 * A case is a text file: the job as users write it, then what is expected. `UPDATE_PLANS=1 vitest run
 * test/plans` writes the expectations anew; review the difference.
 *
 *     <job source>
 *     ──── logical | physical, 2 tasks | without narrowRule | error
 *     <expected text>
 *
 * A case with the line `// Without narrowRule.` shows the physical plan without that rule as well; one with
 * `// Shuffle on disk.` that with stages.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import * as millrace from 'millrace';
import * as millraceFiles from 'millrace/files';
import { expect, test } from 'vitest';
import { TypedError } from '../../base/typed-error.ts';
import { planJob, planRules } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { explainLogical, explainPhysical } from '../../engine/plan/explain.ts';
import { explainAdaptive } from '../../engine/plan/explain-adaptive.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';

const folder = new URL('./', import.meta.url);
const mark = '──── ';
const modules: Readonly<Record<string, unknown>> = { millrace, 'millrace/files': millraceFiles };

const { UPDATE_PLANS } = process.env;
const isUpdate = UPDATE_PLANS === '1';

const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

test('there are plans and mistakes to compare', () => {
  expect(names.filter((name) => name.startsWith('error-')).length).toBeGreaterThan(10);
  expect(names.filter((name) => !name.startsWith('error-')).length).toBeGreaterThan(5);
});

test.each(names)('%s', (name) => {
  const file = new URL(name, folder);
  const text = readFileSync(file, 'utf8');
  const [source = ''] = text.split(`\n${mark}`);
  const found = `${source.trimEnd()}\n\n${outcomeOf(source)}`;
  if (isUpdate) writeFileSync(file, found);
  else expect(found).toBe(text);
  expect(found.includes(`${mark}error`), 'mistakes are in error-*.txt').toBe(
    name.startsWith('error-'),
  );
});

function outcomeOf(source: string): string {
  try {
    const { graph } = buildJob(loadJob(source), { input: 'in', output: 'out.csv' });
    const physical = explainPhysical(planJob(graph, { parallelism: 2 }));
    const plans = `${mark}logical\n${explainLogical(graph)}\n${mark}physical, 2 tasks\n${physical}`;
    return (
      plans +
      planOnDisk(source, graph) +
      planWithout(/^\/\/ Without (\w+)\.$/m.exec(source)?.[1], graph)
    );
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    return `${mark}error\n${error.info.code}: ${error.message}\n${placeless(error.info.hint)}\n`;
  }
}

function planOnDisk(source: string, graph: LogicalGraph): string {
  if (!/^\/\/ Shuffle on disk\.$/m.test(source)) return '';
  const physical = planJob(graph, { parallelism: 2, shuffle: 'disk' });
  return `\n${mark}shuffle on disk\n${explainPhysical(physical)}${explainAdaptive(physical)}`;
}

function planWithout(name: string | undefined, graph: LogicalGraph): string {
  if (name === undefined) return '';
  const rules = planRules.filter((rule) => rule.name !== name);
  expect(rules.length, `there is a rule named "${name}"`).toBe(planRules.length - 1);
  return `\n${mark}without ${name}\n${explainPhysical(planJob(graph, { parallelism: 2, rules }))}`;
}

/** Hints without the paths of this machine. */
function placeless(hint = ''): string {
  return hint.replace(/^Look at .*:\d+:\d+\.$/, 'Look at job.ts:1:1.');
}

/** Runs a job file's source: types are stripped, imports become look-ups, the export is returned. */
function loadJob(source: string): millrace.JobDefinition {
  const script = stripTypeScriptTypes(source)
    .replace(/import (\{.*?\}) from '(.*?)';/gs, "const $1 = modules['$2'];")
    .replace('export default', 'return');
  return new Function('modules', script)(modules) as millrace.JobDefinition;
}
