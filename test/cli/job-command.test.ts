/** Goal: paths of a job that runs elsewhere mean what they mean here. */
import { expect, test } from 'vitest';
import { wholePathOf } from '../../cli/job-command.ts';

test.each`
  path               | whole
  ${'words.csv'}     | ${'/home/ada/words.csv'}
  ${'out/'}          | ${'/home/ada/out/'}
  ${'./out//'}       | ${'/home/ada/out/'}
  ${'../in/**/*.md'} | ${'/home/in/**/*.md'}
  ${'/data/in.csv'}  | ${'/data/in.csv'}
  ${'/data/'}        | ${'/data/'}
  ${'/'}             | ${'/'}
  ${'s3://words/in'} | ${'s3://words/in'}
`('"$path" is "$whole" when it is seen from /home/ada', ({ path, whole }) => {
  expect(wholePathOf('/home/ada', path)).toBe(whole);
});
