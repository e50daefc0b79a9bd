import { test } from 'vitest';
import { expectedOf, jobOf } from '../../support/cut-jobs.ts';
import { CutAttempt, type Cut } from '../../support/cut-world.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { lehmer } from '../../support/operator-harness.ts';
import { textsOf } from '../../support/plan-runner.ts';

const [name, mode, timeout, parallelism, slotBytes, share, seeds] = (process.env.CUT ?? 'control aligned 50 2 64 0.2 30').split(' ') as string[];

function diff(found: readonly string[], expected: readonly string[]) {
  const left = new Map<string, number>();
  for (const row of expected) left.set(row, (left.get(row) ?? 0) + 1);
  for (const row of found) left.set(row, (left.get(row) ?? 0) - 1);
  return [...left].filter(([, c]) => c !== 0).map(([r, c]) => `${r} ${c}`);
}

test('debug', () => {
  const job = jobOf(name as never);
  const expected = textsOf(expectedOf(name as never));
  let bad = 0;
  let cuts = 0;
  for (let seed = 1; seed <= Number(seeds) && bad < 2; seed++) {
    const random = lehmer(seed + 7);
    const disk = new MemoryDisk();
    const attempt = new CutAttempt(job, { parallelism: Number(parallelism), disk, from: null, ring: [1 + (seed % 2), Number(slotBytes)], seed, epoch: 1 });
    const log: string[] = [];
    let open: number[] = [];
    while (!attempt.isOver) {
      attempt.step();
      if (random() >= Number(share)) continue;
      const done = attempt.cuts.at(-1)?.checkpointId ?? 0;
      open = open.filter((id) => id > done);
      if (open.length > 0 && random() < 0.15) { log.push(`cancel ${open[0]}`); attempt.cancel(open.shift() ?? 0); }
      else if (open.length < 3) open.push(attempt.trigger({ mode: mode as never, ...(timeout !== 'null' && { timeoutMs: Number(timeout) }) }));
    }
    attempt.close();
    for (const cut of attempt.cuts) {
      cuts++;
      const next = new CutAttempt(job, { parallelism: 1 + (cut.checkpointId % 3), disk, from: cut, ring: [1, 64], seed: seed * 3, epoch: 2 });
      while (!next.isOver) next.step();
      const found = diff(textsOf(next.written), expected);
      next.close();
      if (found.length === 0) continue;
      bad++;
      console.log(`seed ${seed} cut ${cut.checkpointId} at ${1 + (cut.checkpointId % 3)} of ${attempt.cuts.length}: ${found.length}\n${found.slice(0, 6).join('\n')}\n${describe(cut)}\n${log.join(', ')}\n written ${cut.written.length}`);
      break;
    }
  }
  console.log('cuts', cuts, 'bad', bad);
}, 200_000);

function describe(cut: Cut): string {
  return cut.tasks.map((t) => `${t.taskId} ${JSON.stringify(t.source)} ${t.operators.map((o) => `${o.operatorId}/${o.kind} ${o.kind.startsWith('channel:') ? JSON.stringify((o.note as any).sections.map((s: any) => `${s.place} ${s.exchange} p${s.port} ${s.sender}->${s.receiver} rows ${s.rowCount} w ${s.watermarkMs} ${JSON.stringify(s.marks)}`)) : `${JSON.stringify(o.note).slice(0, 200)} ${o.parts.map((p) => `${p.part}:${p.rowCount}`)}`}`).join(' ; ')}`).join('\n');
}
