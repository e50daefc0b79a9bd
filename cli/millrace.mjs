#!/usr/bin/env node
/**
 * The `millrace` command. Plain JavaScript, for it must start on whatever Node the machine has: it
 * runs `main.ts` where that Node reads TypeScript, and passes on to one that does where it can't.
 *
 * After: cli/launch.mjs
 */
import { launch } from './launch.mjs';

await launch(new URL('./main.ts', import.meta.url), process.argv.slice(2));
