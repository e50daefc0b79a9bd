/**
 * One remote channel between two rings that are lists, over connections that a list of choices drives: frames are delivered,
 * delivered twice, or lost with their connection, an old connection goes on to deliver while a newer one works, and the reader reads
 * when it is chosen. After the choices the network behaves, and everything must arrive.
 *
 * The sender's ring has four slots and is overwritten as soon as a slot is given back, so that what is sent too late shows.
 */
import { type FrameHeader, type FrameKind, frameKinds } from '../../../worker/exchange/frame.ts';
import * as receive from '../../../worker/exchange/receive-channel.ts';
import * as send from '../../../worker/exchange/send-channel.ts';

export const realSteps = {
  openSend: send.openSend,
  takeCredit: send.takeCredit,
  nextFrame: send.nextFrame,
  judgeFrame: receive.judgeFrame,
  takeFrame: receive.takeFrame,
  takeCreditDue: receive.takeCreditDue,
};

export type ChannelSteps = typeof realSteps;

const windowSlots = 4;
const framesMax = 40;

interface SentFrame {
  readonly header: FrameHeader;
  readonly content: number;
}

type ToSender =
  | { readonly kind: 'open'; readonly connection: number; readonly credit: send.Credit }
  | { readonly kind: 'credit'; readonly credit: send.Credit };

/** Both directions of one connection; what is in them arrives in order, or never. */
interface Connection {
  readonly number: number;
  readonly toReceiver: SentFrame[];
  readonly toSender: ToSender[];
}

/** Runs the choices, and then lets all arrive; answers what went wrong, or null. */
export function runChannel(choices: readonly number[], steps: ChannelSteps = realSteps) {
  const world = new ChannelWorld(steps);
  try {
    for (const choice of choices) world.move(choice);
    world.settle();
    return null;
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
}

class ChannelWorld {
  readonly #steps: ChannelSteps;
  readonly #send = send.newSendState(windowSlots);
  readonly #receive = receive.newReceiveState(windowSlots * 2, 16);
  /** By place modulo its length; what is in a slot is its place. */
  readonly #ring = Array.from({ length: windowSlots }, () => -1);
  readonly #notes: { place: number; numbers: [number, number, number] }[] = [];
  /** What the writer has written, and what has come to the reader's ring: a place, or a note as -1 - its number. */
  readonly #written: number[] = [];
  readonly #arrived: number[] = [];
  #published = 0;
  #noted = 0;
  #isEnded = false;
  #connections: Connection[] = [];
  #connectionCount = 0;

  constructor(steps: ChannelSteps) {
    this.#steps = steps;
  }

  move(choice: number): void {
    const way = choice % 10;
    const which = Math.floor(choice / 10);
    if (way < 2) this.#write();
    else if (way === 2) this.#note(which);
    else if (way === 3) this.#pump();
    else if (way < 6) this.#deliverToReceiver(which);
    else if (way === 6) this.#deliverToSender(which);
    else if (way === 7) this.#read();
    else if (way === 8) this.#tellCredit();
    else if (which % 4 === 0) this.#connect();
    else if (which % 4 === 1) this.#breakOldest();
    this.#check();
  }

  /** The network behaves: a barrier passes a reader that stands, and then all arrives. */
  settle(): void {
    this.#connect();
    this.#connections.splice(0, this.#connections.length - 1);
    this.#exchange();
    this.#barrierPasses();
    for (let round = 0; round < 200; round++) {
      this.#write();
      this.#exchange();
      this.#read();
    }
    this.#isEnded = true;
    send.makeMark(this.#send, 'end');
    for (let round = 0; round < 200 && !this.#receive.isOver; round++) {
      this.#exchange();
      this.#read();
    }
    const isAll = this.#arrived.join() === this.#written.join();
    if (!isAll) throw new Error(`arrived ${this.#arrived} of ${this.#written}`);
    if (!this.#receive.isOver) throw new Error('the end did not arrive');
    this.#exchange();
    if (this.#send.kept.length > 0) throw new Error('what has arrived is still kept');
  }

  #barrierPasses(): void {
    for (let round = 0; round < framesMax; round++) this.#read();
    for (let round = 0; round < windowSlots * 2; round++) {
      this.#write();
      this.#exchange();
    }
    this.#note(1);
    const all = this.#written.length;
    for (let round = 0; round < 10; round++) this.#exchange();
    if (this.#arrived.length < all) throw new Error('a barrier waits for a reader that stands');
  }

  #exchange(): void {
    this.#pump();
    for (const { toReceiver, toSender } of this.#connections) {
      while (toReceiver.length > 0) this.#deliverToReceiver(0);
      this.#tellCredit();
      while (toSender.length > 0) this.#deliverToSender(0);
    }
    this.#pump();
    this.#check();
  }

  #write(): void {
    const isFull = this.#published - this.#send.slotsAcked >= windowSlots;
    if (isFull || this.#isEnded || this.#written.length >= framesMax) return;
    this.#ring[this.#published % windowSlots] = this.#published;
    this.#written.push(this.#published);
    this.#published++;
  }

  #note(which: number): void {
    if (which % 3 !== 1 || this.#isEnded) return;
    this.#noted++;
    this.#notes.push({ place: this.#published, numbers: [this.#noted, 0, 0] });
    this.#written.push(-1 - this.#noted);
  }

  /** Sends what may be sent. */
  #pump(): void {
    send.makeFrames(this.#send, this.#published, this.#notes);
    const connection = this.#connections.find(({ number }) => number === this.#send.connection);
    for (let next = this.#steps.nextFrame(this.#send); next !== null; ) {
      connection?.toReceiver.push(this.#sentFrame(next));
      next = this.#steps.nextFrame(this.#send);
    }
  }

  #sentFrame({ sequence, frame }: { sequence: number; frame: send.KeptFrame }): SentFrame {
    const isSlot = frame.kind === 'slot';
    const kind: FrameKind = frameKinds[frame.kind];
    const content = isSlot
      ? (this.#ring[frame.place % windowSlots] ?? -1)
      : frame.kind === 'note'
        ? -1 - frame.numbers[0]
        : 0;
    const bytes = { bodyBytes: isSlot ? 8 : 0, messageBytes: isSlot ? 8 : 0, bodyChecksum: 0 };
    return { header: { kind, channel: 0, sequence: sequence >>> 0, ...bytes }, content };
  }

  #deliverToReceiver(which: number): void {
    const connection = this.#connections[which % Math.max(1, this.#connections.length)];
    const sent = connection?.toReceiver.shift();
    if (sent === undefined) return;
    // What is behind a connection that the receiver has left is not read by it.
    if (connection?.number !== this.#connectionCount) return;
    this.#arrive(sent);
    if (which % 7 === 3) this.#arrive(sent);
  }

  #arrive({ header, content }: SentFrame): void {
    const judged = this.#steps.judgeFrame(this.#receive, header);
    if (typeof judged === 'object') throw new Error(judged.problem);
    if (judged === 'drop') return;
    this.#steps.takeFrame(this.#receive, header);
    if (header.kind !== frameKinds.end) this.#arrived.push(content);
  }

  #deliverToSender(which: number): void {
    const connection = this.#connections[which % Math.max(1, this.#connections.length)];
    const told = connection?.toSender.shift();
    if (connection === undefined || told === undefined) return;
    const step = told.kind === 'open' ? this.#steps.openSend : this.#steps.takeCredit;
    const problem = step(this.#send, connection.number, told.credit);
    if (problem !== null) throw new Error(problem);
  }

  #read(): void {
    if (this.#receive.consumed < this.#receive.slots) {
      receive.readSlots(this.#receive, this.#receive.consumed + 1);
    }
  }

  #tellCredit(): void {
    const connection = this.#connections.find(({ number }) => number === this.#connectionCount);
    const credit = this.#steps.takeCreditDue(this.#receive);
    if (credit !== null) connection?.toSender.push({ kind: 'credit', credit });
  }

  #connect(): void {
    const number = ++this.#connectionCount;
    const credit = receive.openReceive(this.#receive);
    const toSender: ToSender[] = [{ kind: 'open', connection: number, credit }];
    this.#connections.push({ number, toReceiver: [], toSender });
  }

  #breakOldest(): void {
    const broken = this.#connections.shift();
    if (broken !== undefined) send.closeSend(this.#send, broken.number);
  }

  #check(): void {
    const { slotsSent, slotsConsumed, slotsAcked } = this.#send;
    const { slots, consumed } = this.#receive;
    if (slotsSent - consumed > windowSlots * 2)
      throw new Error('more is in flight than there is room');
    if (slots - consumed > windowSlots * 2) throw new Error('the ring overflows');
    if (slotsConsumed > consumed) throw new Error('the sender knows of slots that were not read');
    if (slotsAcked > slots) throw new Error('a slot is given back that the receiver has not');
    const isPrefix = this.#arrived.every((content, index) => content === this.#written[index]);
    if (!isPrefix) throw new Error(`arrived ${this.#arrived} of ${this.#written}`);
  }
}
