/** Wrong rules for executors: each is a mistake that a reader might let pass, and the simulation must notice it. */
import { type ExecutorEffect, stepExecutors } from '../../worker/supervisor/executor-book.ts';

type Step = typeof stepExecutors;

function without(kind: ExecutorEffect['kind']): Step {
  return (book, event) => {
    const step = stepExecutors(book, event);
    return { ...step, effects: step.effects.filter((effect) => effect.kind !== kind) };
  };
}

/** What is over is forgotten at once: a call that comes late starts it again. */
const forgets: Step = (book, event) => {
  const step = stepExecutors(book, event);
  return { ...step, book: new Map([...step.book].filter(([, { kind }]) => kind !== 'gone')) };
};

/** A life that has ended leaves what it runs. */
const outlives: Step = (book, event) => {
  return event.kind === 'lifeEnded' ? { book, effects: [] } : stepExecutors(book, event);
};

/** One that is stopped while its module is fetched starts all the same. */
const startsLate: Step = (book, event) => {
  const isEarly = event.kind === 'stop' && book.get(event.executorId)?.kind === 'preparing';
  return isEarly ? { book, effects: [] } : stepExecutors(book, event);
};

/** What the coordinator was once told counts as taken. */
const tellsOnce: Step = (book, event) => {
  const step = stepExecutors(book, event);
  const told = step.effects.find(({ kind }) => kind === 'tell');
  if (told === undefined) return step;
  const { executorId } = told;
  return {
    ...step,
    book: stepExecutors(step.book, { kind: 'taken', executorId, nowMs: event.nowMs }).book,
  };
};

export const supervisorPlants: Readonly<Record<string, Step>> = {
  'what is over is forgotten': forgets,
  'a life that has ended leaves what it runs': outlives,
  'a stop before the start is forgotten': startsLate,
  'an end is not told': without('tell'),
  'an end is told once': tellsOnce,
};
