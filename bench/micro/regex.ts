/**
 * Micro benchmark of regular expressions beside JavaScript's own, on lines of an access log:
 * `npm run bench:regex`. No test: it prints.
 *
 * Expectation, per character: `matches` is a look-up of the class and one of the edge, 5 ns; `extract` enters
 * some 5 instructions and copies the slots of 1 or 2 ways, 30 to 100 ns where a way is open, 5 elsewhere.
 */
import { RegexFinder } from '../../engine/expr/regex/regex-finder.ts';
import { parseRegex } from '../../engine/expr/regex/regex-parser.ts';
import { compileRegex } from '../../engine/expr/regex/regex-program.ts';
import { RegexTester } from '../../engine/expr/regex/regex-tester.ts';

const runs = 5;
/** So many times all rows are one run: the clock of CPU time has steps of milliseconds. */
const rounds = 5;
const rowCount = 20_000;
const paths = [
  ...['/items/17?ref=mail', '/search?q=stream%20engine&page=3', '/cart/checkout/step/2'],
  ...['/img/logo.png', '/users/901/orders?id=77123'],
];
const lines = Array.from({ length: rowCount }, (_, row) => {
  const address = `192.168.${row % 250}.${(row * 7) % 250}`;
  const time = `26/Nov/2026:10:${String(row % 60).padStart(2, '0')}:12 +0000`;
  return `${address} - - [${time}] "GET ${paths[row % 5]} HTTP/1.1" ${row % 9 ? 200 : 404} ${row * 13}`;
});

const patterns = [
  '"(GET|POST) ([^ ?"]*)',
  'id=(\\d+)',
  '(\\d+)$',
  '^(\\S+) (\\S+) (\\S+) \\[([^\\]]+)\\] "(\\S+) (\\S+) [^"]*" (\\d{3}) (\\d+)$',
];

/** Nanoseconds a row, the least of several runs; CPU time, which other processes disturb least. */
function nanosecondsOf(work: (line: string) => unknown): number {
  const times = Array.from({ length: runs }, () => {
    const before = process.threadCpuUsage().user;
    for (let round = 0; round < rounds; round++) for (const line of lines) work(line);
    return ((process.threadCpuUsage().user - before) * 1000) / (rowCount * rounds);
  });
  return Math.round(Math.min(...times));
}

for (const pattern of patterns) {
  const program = compileRegex(parseRegex(pattern, ''));
  const [finder, tester] = [new RegexFinder(program), new RegexTester(program)];
  const own = new RegExp(pattern, 'u');
  process.stdout.write(`/${pattern}/\n`);
  const measured = {
    matches: nanosecondsOf((line) => tester.test(line)),
    'RegExp.test': nanosecondsOf((line) => own.test(line)),
    extract: nanosecondsOf((line) => finder.find(line)),
    'RegExp.exec': nanosecondsOf((line) => own.exec(line)),
  };
  for (const [name, time] of Object.entries(measured)) {
    process.stdout.write(`  ${name.padEnd(12)} ${String(time).padStart(6)} ns a row\n`);
  }
}
