import { describe, expect, test } from 'vitest';
import { initialValues } from '../src/module/initial-values.js';
import { hash, philox, uniformOf } from '../src/random/philox.js';

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
const ONES = 0xffffffff;

describe('Philox4x32-10', () => {
  // known answers of the Random123 distribution (kat_vectors)
  test.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[ONES, ONES, ONES, ONES], [ONES, ONES], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const)('counter %j, key %j', (counter, key, expected) => {
    expect(hex(philox(counter, key))).toBe(expected);
  });
  test('the same with big integers', () => {
    const reference = (counter: readonly number[], key: readonly number[]): number[] => {
      let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
      let [k0, k1] = key.map(BigInt) as [bigint, bigint];
      const mask = 0xffffffffn;
      for (let round = 0; round < 10; round++) {
        const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
        [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
        [k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
      }
      return [c0, c1, c2, c3].map(Number);
    };
    for (let i = 0; i < 200; i++) {
      const word = (j: number): number => Math.imul(i + 1, 0x9e3779b9 ^ (j * 0x85ebca6b)) >>> 0;
      const counter = [word(0), word(1), word(2), word(3)] as const;
      const key = [word(4), word(5)] as const;
      expect(philox(counter, key)).toEqual(reference(counter, key));
    }
  });
});

describe('uniforms', () => {
  test('lie in (0, 1), symmetric, and are exact in float32', () => {
    expect(uniformOf(0)).toBe(2 ** -24);
    expect(uniformOf(ONES)).toBe(1 - 2 ** -24);
    for (const word of [0, 1, 511, 512, 0x12345678, ONES]) {
      expect(Math.fround(uniformOf(word))).toBe(uniformOf(word));
      expect(uniformOf(word) + uniformOf(ONES - word)).toBe(1);
    }
  });
});

test('hash is 32-bit FNV-1a', () => {
  expect(hash('')).toBe(0x811c9dc5);
  expect(hash('a')).toBe(0xe40c292c);
  expect(hash('foobar')).toBe(0xbf9cf968);
});

describe('initial values', () => {
  const moments = (values: Float64Array) => {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
    return { mean, variance, largest: Math.max(...values.map(Math.abs)) };
  };
  test('uniform within its bound', () => {
    const { mean, variance, largest } = moments(
      initialValues([100, 100], { kind: 'uniform', bound: 0.5 }, 1, 'weight'),
    );
    expect(largest).toBeLessThan(0.5);
    expect(largest).toBeGreaterThan(0.499);
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(1 / 12 / 1e4)); // five standard errors
    expect(variance).toBeCloseTo(1 / 12, 2);
  });
  test('normal with its deviation, and a row of zeros', () => {
    const values = initialValues([50, 200], { kind: 'normal', deviation: 2, zeroRow: 3 }, 1, 'weight');
    expect(values.slice(600, 800).every((v) => v === 0)).toBe(true);
    const { mean, variance } = moments(values.slice(800));
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(4 / 9200));
    expect(variance).toBeGreaterThan(4 * (1 - 5 * Math.sqrt(2 / 9200)));
    expect(variance).toBeLessThan(4 * (1 + 5 * Math.sqrt(2 / 9200)));
  });
  test('other paths and seeds, other numbers', () => {
    const draw = (seed: number, path: string) => [...initialValues([4], { kind: 'uniform', bound: 1 }, seed, path)];
    expect(draw(1, 'a')).toEqual(draw(1, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'));
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
  });
});
