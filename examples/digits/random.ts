import { hash, philox, uniformOf } from 'gradpack';

/** Uniform numbers in (0, 1), the same ones for the same seed and purpose. */
export function* uniforms(seed: number, purpose: string): Generator<number, never> {
  for (let block = 0; ; block++)
    for (const word of philox([block, 0, 0, 0], [seed, hash(purpose)])) yield uniformOf(word);
}

/** 0 to count − 1 in random order (Fisher and Yates). */
export function permutation(count: number, draws: Generator<number, never>): readonly number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(draws.next().value * (i + 1));
    const [a, b] = [order[i], order[j]] as [number, number];
    [order[i], order[j]] = [b, a];
  }
  return order;
}
