/** The table of the Kafka bench, and what is different in two answers of its counts. */
import { loadavg } from 'node:os';
import { tableText } from '../base/table.ts';
import { formatBytes, formatCount } from '../base/units.ts';
import type { KafkaQuestion, KafkaResult } from './kafka-result.ts';
import { machineOf } from './machine.ts';
import { medianOf } from './median.ts';

/** Of records per second of CPU time, beside the peer. */
const goals: Readonly<Record<KafkaQuestion, number>> = { source: 4, sink: 2, counts: 3 };

export function kafkaReport(results: readonly KafkaResult[]): string {
  const { cores, processor, memoryBytes, system, node } = machineOf();
  const right = 'right' as const;
  const head = [
    `Kafka, ${formatCount(results[0]?.recordCount ?? 0)} records, median of ${results[0]?.measured.length ?? 0}`,
    `${cores} × ${processor}, ${formatBytes(memoryBytes)}, ${system}, Node ${node}, load ${loadavg()[0]?.toFixed(1)}`,
  ];
  const rows = results.map((result) => {
    const { question, contestant } = result;
    const peer = results.find((one) => one.question === question && one !== result);
    const ratio =
      contestant === 'millrace' && peer !== undefined ? perCpu(result) / perCpu(peer) : null;
    const goal = goals[question];
    return [
      ...[question, contestant, formatCount(Math.round(perCpu(result)))],
      medianOf(result.measured.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
      medianOf(result.measured.map(({ seconds }) => seconds)).toFixed(2),
      ratio === null ? '' : `${ratio.toFixed(2)} ×`,
      ratio === null ? '' : `${goal} ×, ${ratio >= goal ? 'met' : 'missed'}`,
    ];
  });
  const columns = ['records/CPU s', 'CPU s', 'seconds', 'beside it', 'goal'];
  const table = tableText(
    [{ title: 'question' }, { title: 'by' }, ...columns.map((title) => ({ title, align: right }))],
    rows,
  );
  return `${head.join('\n')}\n${table}`;
}

function perCpu({ recordCount, measured }: KafkaResult): number {
  return recordCount / medianOf(measured.map(({ cpuSeconds }) => cpuSeconds));
}

/**
 * What Kafka Streams has and Millrace has not, or otherwise; null where nothing. The last windows are not closed there: no record
 * has come behind them.
 */
export function countsDifference(millrace: string, streams: string): string | null {
  const [own, other] = [countsIn(millrace), countsIn(streams)];
  if (other.size === 0) return 'one of them is empty';
  for (const [window, counted] of other) {
    if (own.get(window) !== counted) return `${window} is ${own.get(window)} and ${counted}`;
  }
  let newest = Number.NEGATIVE_INFINITY;
  for (const window of own.keys()) newest = Math.max(newest, startOf(window));
  const missing = [...own.keys()].find((window) => {
    return !other.has(window) && startOf(window) < newest;
  });
  return missing === undefined ? null : `${missing} is missing`;
}

function startOf(window: string): number {
  return Number(window.split(' ')[0]);
}

/** By window and auction. */
function countsIn(lines: string): Map<string, string> {
  const counts = new Map<string, string>();
  for (const line of lines.split('\n').filter((one) => one !== '')) {
    const { value } = JSON.parse(line);
    const { windowStart, auction, bids, total } = JSON.parse(value);
    const id = `${Date.parse(windowStart)} ${auction}`;
    if (counts.has(id)) throw new Error(`${id} is counted twice`);
    counts.set(id, `${bids} ${total}`);
  }
  return counts;
}
