/**
 * The seed of all properties: the same in every run, so that what passed here passes everywhere, and a failure is there again.
 * New cases are what `npm run test:long` looks for, with a seed of its own; MILLRACE_SEED=random, or a number, does so in any run.
 */
import fc from 'fast-check';

const { MILLRACE_SEED: seed = '20261127' } = process.env;
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });
