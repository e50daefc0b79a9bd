/**
 * Runs a ring's writer and reader through every interleaving of their accesses to shared memory.
 *
 *     world   = shared words, slots, doorbells + both sides' local state
 *     a move  = one access of one side; a side asleep can move only once its bell has rung
 *     explore = depth first over all moves, each world visited once
 *
 * A message is a sequence of bytes that occurs nowhere else, so a lost, doubled, torn or misplaced
 * fragment shows in what the reader puts together. A world in which nobody can move and not all is
 * done is a deadlock: a lost wake-up, as a rule.
 *
 * A protocol with a planted bug is a pair of step functions that differ from the real ones.
 */
import {
  beginMark,
  beginMessage,
  type Fragment,
  newReaderState,
  newWriterState,
  type ReaderOutcome,
  type ReaderPort,
  type ReaderState,
  type RingWord,
  ringMarks,
  stepReader,
  stepWriter,
  type WriterOutcome,
  type WriterPort,
  type WriterState,
} from '../../engine/memory/ring-step.ts';

export interface Protocol {
  readonly stepWriter: (state: WriterState, port: WriterPort) => WriterOutcome;
  readonly stepReader: (state: ReaderState, port: ReaderPort) => ReaderOutcome;
}

const realProtocol: Protocol = { stepWriter, stepReader };

export interface Scenario {
  readonly slotCount: number;
  /** Bytes of a message that fit a slot. */
  readonly slotPayload: number;
  /** Sizes of the messages. */
  readonly messages: readonly number[];
  readonly mark: 'ended' | 'failed';
}

type Activity = 'looking' | 'stepping' | 'asleep' | 'finished';

interface Side {
  activity: Activity;
  /** Whether its bell has rung since it last began to look for work. */
  hasRung: boolean;
}

interface World {
  words: number[];
  slots: { fragmentBytes: number; messageBytes: number; content: number[] }[];
  writer: Side;
  reader: Side;
  writerState: WriterState;
  readerState: ReaderState;
  /** Messages begun by the writer. */
  begun: number;
  received: number[];
  target: number[];
  result: string;
}

export interface Exploration {
  readonly worlds: number;
  /** How often a side was seen asleep; proves that the waiting was explored. */
  readonly writerSleeps: number;
  readonly readerSleeps: number;
  /** What went wrong first, or null. */
  readonly problem: string | null;
}

/** Explores all interleavings, or stops at the first problem. */
export function explore(scenario: Scenario, protocol: Protocol = realProtocol): Exploration {
  const seen = new Set<string>();
  const stack: World[] = [firstWorld(scenario)];
  let [writerSleeps, readerSleeps] = [0, 0];
  const result = (problem: string | null) => {
    return { worlds: seen.size, writerSleeps, readerSleeps, problem };
  };
  for (let world = stack.pop(); world !== undefined; world = stack.pop()) {
    const key = JSON.stringify(world);
    if (seen.has(key)) continue;
    seen.add(key);
    if (world.writer.activity === 'asleep') writerSleeps++;
    if (world.reader.activity === 'asleep') readerSleeps++;
    let moves = 0;
    for (const name of ['writer', 'reader'] as const) {
      if (!canMove(world[name])) continue;
      moves++;
      const next = copyOf(world);
      const problem = moveOf(name, next, scenario, protocol);
      if (problem !== null) return result(problem);
      stack.push(next);
    }
    const problem = moves === 0 ? endProblem(world, scenario) : null;
    if (problem !== null) return result(problem);
  }
  return result(null);
}

function firstWorld(scenario: Scenario): World {
  const { slotCount, slotPayload } = scenario;
  const side = (): Side => ({ activity: 'looking', hasRung: false });
  const slot = () => ({ fragmentBytes: 0, messageBytes: 0, content: [] });
  return {
    words: [0, 0, 0, 0, 0],
    slots: Array.from({ length: slotCount }, slot),
    writer: side(),
    reader: side(),
    writerState: newWriterState(slotCount, slotPayload),
    readerState: newReaderState(slotCount),
    begun: 0,
    received: [],
    target: [],
    result: '',
  };
}

/** Slots are replaced and never changed, so they may be shared. */
function copyOf(world: World): World {
  return {
    words: [...world.words],
    slots: [...world.slots],
    writer: { ...world.writer },
    reader: { ...world.reader },
    writerState: { ...world.writerState },
    readerState: { ...world.readerState },
    begun: world.begun,
    received: [...world.received],
    target: [...world.target],
    result: world.result,
  };
}

function canMove(side: Side): boolean {
  if (side.activity === 'finished') return false;
  return side.activity !== 'asleep' || side.hasRung;
}

/** One access of a side; answers what is wrong with it, or null. */
function moveOf(
  name: 'writer' | 'reader',
  world: World,
  scenario: Scenario,
  protocol: Protocol,
): string | null {
  const side = world[name];
  if (side.activity !== 'stepping') {
    side.hasRung = false;
    side.activity = 'stepping';
    return null;
  }
  try {
    if (name === 'writer') moveWriter(world, scenario, protocol);
    else moveReader(world, scenario, protocol);
  } catch (error) {
    return String(error);
  }
  const sent = messageBytes(scenario);
  const isPrefix = world.received.every((byte, index) => byte === sent[index]);
  return isPrefix ? null : `received ${world.received} of ${sent}`;
}

function moveWriter(world: World, scenario: Scenario, protocol: Protocol): void {
  const { writerState: state, writer } = world;
  if (state.phase === 'idle') beginNext(world, scenario);
  const outcome = protocol.stepWriter(state, writerPort(world, scenario));
  if (outcome === 'full') writer.activity = 'asleep';
  if (outcome === 'done' && state.mark !== ringMarks.open) writer.activity = 'finished';
}

function beginNext(world: World, scenario: Scenario): void {
  const size = scenario.messages[world.begun];
  world.begun++;
  if (size === undefined) beginMark(world.writerState, ringMarks[scenario.mark]);
  else beginMessage(world.writerState, size);
}

function moveReader(world: World, scenario: Scenario, protocol: Protocol): void {
  const { reader } = world;
  const outcome = protocol.stepReader(world.readerState, readerPort(world));
  if (outcome === 'message') {
    world.received.push(...world.target, separator);
    world.target = [];
  }
  if (outcome === 'empty') reader.activity = 'asleep';
  if (outcome === 'ended' || outcome === 'failed') {
    world.result = outcome;
    reader.activity = 'finished';
  }
  if (world.readerState.phase === 'consume' && world.target.length > totalBytes(scenario)) {
    throw new Error('more bytes than were sent');
  }
}

function writerPort(world: World, scenario: Scenario): WriterPort {
  return {
    load: (word: RingWord) => world.words[word] as number,
    store: (word: RingWord, value: number) => {
      world.words[word] = value;
    },
    wakeOther: () => {
      world.reader.hasRung = true;
    },
    writeSlot: (state, fragmentBytes) => {
      const start = startOf(scenario, world.begun - 1) + state.writtenBytes;
      const content = Array.from({ length: fragmentBytes }, (_, index) => start + index);
      world.slots[state.slot] = { fragmentBytes, messageBytes: state.messageBytes, content };
    },
  };
}

function readerPort(world: World): ReaderPort {
  return {
    load: (word: RingWord) => world.words[word] as number,
    store: (word: RingWord, value: number) => {
      world.words[word] = value;
    },
    wakeOther: () => {
      world.writer.hasRung = true;
    },
    readSlot: (state): Fragment => {
      const slot = world.slots[state.slot];
      if (slot === undefined) throw new Error(`no slot ${state.slot}`);
      world.target.push(...slot.content);
      return slot;
    },
  };
}

const separator = -1;

/** What the reader should receive: bytes numbered from 0, a separator after each message. */
function messageBytes(scenario: Scenario): number[] {
  return scenario.messages.flatMap((size, index) => [
    ...Array.from({ length: size }, (_, at) => startOf(scenario, index) + at),
    separator,
  ]);
}

function startOf(scenario: Scenario, message: number): number {
  return scenario.messages.slice(0, message).reduce((sum, size) => sum + size, 0);
}

function totalBytes(scenario: Scenario): number {
  return startOf(scenario, scenario.messages.length);
}

/** Nobody can move: all must be sent, received and reported. */
function endProblem(world: World, scenario: Scenario): string | null {
  const { writer, reader, received, result } = world;
  if (writer.activity !== 'finished' || reader.activity !== 'finished') {
    return `stuck: writer ${writer.activity}, reader ${reader.activity}, received ${received}`;
  }
  const isWhole = JSON.stringify(received) === JSON.stringify(messageBytes(scenario));
  if (!isWhole) return `ended with ${received} of ${messageBytes(scenario)}`;
  return result === scenario.mark ? null : `reported as ${result}`;
}
