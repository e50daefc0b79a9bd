/**
 * Writes a log to try the job with, the same for the same seed: `node make-log.ts LINES [SEED]`. One line
 * in fifty is cut short, one in five hundred is not UTF-8.
 */
const [lineCount = 1000, seed = 1] = process.argv.slice(2).map(Number);
const paths = [
  '/',
  '/index.html',
  '/login',
  '/cart',
  '/item',
  '/search',
  '/api/orders',
  '/favicon.ico',
];
const statuses = [200, 200, 200, 200, 304, 404, 500, 503];
const agents = ['Mozilla/5.0 (X11; Linux x86_64)', 'curl/8.5.0', 'größenbot/1.0'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const startMs = Date.UTC(2026, 10, 26, 8);
const stepMs = 900;

let state = seed >>> 0;

/** A whole number below `limit`; mulberry32. */
function draw(limit: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

function oneOf<T>(all: readonly T[]): T {
  return all[Math.min(draw(all.length), draw(all.length))] as T;
}

function logLine(index: number): string {
  const moment = new Date(startMs + index * stepMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(moment.getUTCDate())}/${months[moment.getUTCMonth()]}/${moment.getUTCFullYear()}`;
  const time = [moment.getUTCHours(), moment.getUTCMinutes(), moment.getUTCSeconds()].map(two);
  const status = oneOf(statuses);
  const bytes = status === 304 ? '-' : draw(20_000);
  const request = `GET ${oneOf(paths)}?id=${draw(1000)} HTTP/1.1`;
  const client = `203.0.113.${draw(256)} - -`;
  return `${client} [${day}:${time.join(':')} +0000] "${request}" ${status} ${bytes} "-" "${oneOf(agents)}"`;
}

const encoder = new TextEncoder();
let pieces: Uint8Array[] = [];
for (let index = 0; index < lineCount; index++) {
  const whole = logLine(index);
  const text = draw(50) === 0 ? whole.slice(0, draw(40)) : whole;
  const bytes = encoder.encode(`${text}\n`);
  if (draw(500) === 0 && text !== '') bytes[0] = 0xff;
  pieces.push(bytes);
  if (pieces.length < 10_000 && index < lineCount - 1) continue;
  process.stdout.write(Buffer.concat(pieces));
  pieces = [];
}
