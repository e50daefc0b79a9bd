/** Goal: `explain` says which operators keep state, and which of their ids could move. */
import { expect, test } from 'vitest';
import { buildJob } from '../../../engine/api/build-job.ts';
import { explainKept } from '../../../engine/plan/explain-kept.ts';
import rules from '../../../jobs/rules/job.ts';

test('the job of rules has two sources that only their order tells apart', () => {
  const { graph } = buildJob(rules, { input: 'in/', rules: 'rules/', output: 'out/' });
  expect(explainKept(graph)).toBe(`state of rules, by operator id
  source-files     id of its order: give it one ({ id: '…' }) before others like it come or go
  eventTime-at     id of its order: give it one ({ id: '…' }) before others like it come or go
  source-files-2   id of its order: give it one ({ id: '…' }) before others like it come or go
  eventTime-at-2   id of its order: give it one ({ id: '…' }) before others like it come or go
  process-account  id of what it is: paid, limits
  orderBy-1        id of what it is
  sink-files       id of what it is
`);
});
