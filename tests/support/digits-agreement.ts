import type { DigitsRun } from '../../examples/digits/run.js';

/** Largest relative difference of the losses of the first ten steps. */
export function firstLossesError(run: DigitsRun, reference: DigitsRun): number {
  const [losses, expected] = [run, reference].map(({ epochs }) => epochs[0]?.losses.slice(0, 10) ?? []);
  return Math.max(...(expected ?? []).map((loss, i) => Math.abs((losses?.[i] ?? Number.NaN) / loss - 1)));
}

/** Test images that the two trained nets put into different classes. */
export function differentPredictions(run: DigitsRun, reference: DigitsRun): number {
  const [predictions, expected] = [run, reference].map(({ epochs }) => epochs.at(-1)?.predictions ?? []);
  return (expected ?? []).filter((label, row) => predictions?.[row] !== label).length;
}
