#!/usr/bin/env node
/**
 * The `millrace` command. Plain JavaScript, for it must start on whatever Node the machine has: it
 * runs the command where that Node reads TypeScript, and passes on to one that does where it can't.
 *
 * After: cli/launch.mjs, cli/bundle.mjs
 */
import { commandEntry } from './bundle.mjs';
import { launch } from './launch.mjs';

await launch(commandEntry, process.argv.slice(2));
