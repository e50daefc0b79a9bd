/** Goal: a command that a page of ours shows works as it is written there. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder } from '../support/cli-process.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import { testClient, textBatch } from '../support/kafka/kafka-clients.ts';
import { commandsIn, runTyped, typingFolder } from '../support/shell-command.ts';

const pages = ['README.md', ...globSync('jobs/**/*.md', { cwd: projectFolder })];

/** Commands of `sh` blocks; one with a word in capitals stands for many. */
function shellCommands(page: string): string[] {
  const text = readFileSync(join(projectFolder, page), 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
  return blocks.flatMap(commandsIn).filter((command) => !/\b(FILE|PATH|DIR|URL)\b/.test(command));
}

test('the README shows at least a run, an explain and a help', () => {
  const shown = shellCommands('README.md').join('\n');
  for (const part of ['millrace run', 'millrace explain', '--help', '--json']) {
    expect(shown).toContain(part);
  }
});

/** Runs the commands of a page, each typed as it is there but for what is said to stand elsewhere here. */
async function typeCommands(page: string, here: (command: string) => string): Promise<void> {
  const folder = typingFolder();
  for (const command of shellCommands(page)) {
    const { exitCode, stderr } = await runTyped(here(command), folder);
    expect([command, exitCode, stderr.match(/error.*/)]).toEqual([command, 0, null]);
  }
}

/** Where a page takes a broker to be. */
const shownBroker = '127.0.0.1:9092';
const shown = pages.filter((page) => shellCommands(page).length > 0);
const needsKafka = (page: string) => shellCommands(page).join().includes(shownBroker);

test.each(shown.filter((page) => !needsKafka(page)))('commands of %s', async (page) => {
  await typeCommands(page, (command) => command);
});

test.each(shown.filter(needsKafka))(
  'commands of %s, with topics of bids and counts in a broker',
  async (page) => {
    const broker = await KafkaBroker.start();
    onTestFinished(() => broker.remove());
    const client = await testClient(broker.address);
    for (const topic of ['bids', 'counts']) await client.createTopic(topic, { partitionCount: 1 });
    const producer = await client.producer('bids');
    const bid = '{"auction":1000,"price":5,"date_time":"2023-11-14T22:13:21Z"}';
    await producer.send([textBatch(0, [bid])]);
    await typeCommands(page, (command) => command.replaceAll(shownBroker, broker.address));
  },
  900_000,
);
