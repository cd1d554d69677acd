import { crossEntropyLoss, mseLoss, scaleLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';

describe('targets', () => {
  test('of crossEntropyLoss are classes, one for each position', () => {
    expect(crossEntropyLoss().target([5, 3, 2, 4])).toEqual({ dtype: 'int32', shape: [5, 2, 4], bound: 3 });
  });
  test('of mseLoss look like the output', () => {
    expect(mseLoss().target([5, 3])).toEqual({ dtype: 'float', shape: [5, 3] });
  });
});

describe('exact factors', () => {
  test('have C − 1 or C columns for each position with crossEntropyLoss', () => {
    const loss = crossEntropyLoss();
    expect([loss.columns([5, 3, 2, 4], 'reduced'), loss.columns([5, 3, 2, 4], 'full')]).toEqual([16, 24]);
  });
  test('of a single class are one zero column', () => {
    expect(crossEntropyLoss().columns([5, 1], 'reduced')).toBe(1);
  });
  test('have one column for each feature with mseLoss', () => {
    expect(mseLoss().columns([5, 3, 2], 'reduced')).toBe(6);
  });
});

describe('scaleLoss', () => {
  test('multiplies scales, and leaves the loss alone', () => {
    const loss = mseLoss();
    expect(scaleLoss(scaleLoss(loss, 3), 0.5).scale).toBe(1.5);
    expect(loss.scale).toBe(undefined);
  });
  test('changes the key by the sign alone', () => {
    const loss = mseLoss();
    expect([scaleLoss(loss, 2).key, scaleLoss(scaleLoss(loss, -2), -1).key]).toEqual([loss.key, loss.key]);
    expect(scaleLoss(loss, -1).key).not.toBe(loss.key);
  });
});

describe('errors', () => {
  test.each<readonly [string, () => unknown]>([
    ['crossEntropyLoss of an output without classes', () => crossEntropyLoss().target([5])],
    ['mseLoss of an output without a batch', () => mseLoss().target([])],
    ['an unknown reduction', () => mseLoss({ reduction: 'average' as 'mean' })],
    ['a scale that is no number', () => scaleLoss(mseLoss(), Number.NaN)],
  ])('%s', (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});
