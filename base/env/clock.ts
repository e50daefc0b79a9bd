/** The clock seam: the only two ways to learn the time. */

export interface Clock {
  /**
   * Milliseconds that only grow, with fractions; for durations, leases and timeouts. The same in all threads of a
   * process, to some microseconds.
   */
  mono(): number;
  /** Milliseconds since 1970 in UTC; for labels and token times only, for it may jump. */
  wall(): number;
}
