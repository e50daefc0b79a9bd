/** The typed error that a piece of work ends with, for tests that look at more of it than its message. */
import { TypedError } from '../../base/typed-error.ts';

/** Null when nothing is thrown; an error of another kind is thrown on. */
export function typedErrorOf(work: () => unknown): TypedError | null {
  try {
    work();
  } catch (error) {
    if (error instanceof TypedError) return error;
    throw error;
  }
  return null;
}

/** The same of work that takes its time; it has to fail. */
export async function rejectionOf(work: Promise<unknown>): Promise<TypedError> {
  const error = await work.then(
    () => new Error('the work was done'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof TypedError) return error;
  throw error;
}
