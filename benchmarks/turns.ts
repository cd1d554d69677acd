/** Repeats a step for so many milliseconds, at least once, and returns how many each took. */
export async function turnOf(step: () => Promise<unknown>, milliseconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  } while (performance.now() < end);
  return times;
}
