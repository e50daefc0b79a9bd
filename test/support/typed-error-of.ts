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
