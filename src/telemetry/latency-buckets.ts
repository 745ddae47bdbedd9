/**
 * Upper bounds in seconds for the times of answers by DNS. Alone in a file, as the thread that answers counts by them and
 * should not load what shows them.
 */
export const latencyBuckets: readonly number[] = [
  0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5,
];
