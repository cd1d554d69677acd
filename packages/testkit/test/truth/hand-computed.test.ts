import { describe, expect, it } from 'vitest';
import type { NetSpec } from '../../src/net-spec.js';
import { evaluate, hessianVectorProduct, truth } from '../../src/truth/index.js';
import { expectWithin } from '../within.js';

/** f(x) = w·x, w = 1, x = 1, 2, 3, targets 0. */
function product(loss: Partial<NetSpec['loss']>): NetSpec {
  return {
    inputs: { x: { shape: [3, 1], data: [1, 2, 3], dtype: 'float' } },
    parameters: { w: { shape: [1, 1], data: [1], trainable: true } },
    nodes: [{ id: 'y', inputs: ['x'], op: 'linear', parameters: { weight: 'w' } }],
    output: 'y',
    loss: { kind: 'mse', reduction: 'mean', target: { shape: [3, 1], data: [0, 0, 0] }, ...loss },
  };
}

const labels = { shape: [1, 3, 1], data: [1, -1, 2] };

describe.each([
  { reduction: 'mean', c: 1 / 3 },
  { reduction: 'sum', c: 1 },
] as const)('f(x) = w·x, squared error, $reduction', ({ reduction, c }) => {
  const t = truth(product({ reduction }), { labels });
  const root = Math.sqrt(2 * c);

  it.each([
    ['gradient', [28 * c], [1, 1]],
    ['batchGrad', [2 * c, 8 * c, 18 * c], [3, 1, 1]],
    ['batchL2Grad', [4 * c * c, 64 * c * c, 324 * c * c], [3]],
    ['sumGradSquared', [392 * c * c], [1, 1]],
    ['variance', [(392 / 3 - (28 / 3) ** 2) * c * c], [1, 1]],
    ['diagGgnExact', [28 * c], [1, 1]],
    ['diagHessian', [28 * c], [1, 1]],
    ['batchDiagGgnExact', [2 * c, 8 * c, 18 * c], [3, 1, 1]],
    ['batchDiagHessian', [2 * c, 8 * c, 18 * c], [3, 1, 1]],
    ['sqrtGgnExact', [root, 2 * root, 3 * root], [1, 3, 1, 1]],
    ['sqrtGgnMc', [root, -2 * root, 6 * root], [1, 3, 1, 1]],
    ['batchDiagGgnMc', [2 * c, 8 * c, 72 * c], [3, 1, 1]],
    ['diagGgnMc', [82 * c], [1, 1]],
  ] as const)('%s', (quantity, data, shape) => {
    expectWithin(t[quantity].w, { shape, data }, 1e-14);
  });

  it('kflr: the loss Hessian and the mean of x²', () => {
    expectWithin(t.kflr.w?.output, { shape: [1, 1], data: [6 * c] }, 1e-14);
    expectWithin(t.kflr.w?.input, { shape: [1, 1], data: [14 / 3] }, 1e-14);
  });

  it('kfac: the drawn labels instead', () => {
    expectWithin(t.kfac.w?.output, { shape: [1, 1], data: [12 * c] }, 1e-14);
    expectWithin(t.kfac.w?.input, { shape: [1, 1], data: [14 / 3] }, 1e-14);
  });
});

describe('a scaled loss', () => {
  it('scales first order linearly, squares of it quadratically, second order linearly', () => {
    const t = truth(product({ reduction: 'sum', scale: 3 }));
    expect(t.gradient.w?.data).toEqual([84]);
    expect(t.sumGradSquared.w?.data).toEqual([9 * 392]);
    expect(t.diagGgnExact.w?.data).toEqual([84]);
    expectWithin(t.sqrtGgnExact.w, { shape: [1, 3, 1, 1], data: [1, 2, 3].map((x) => x * Math.sqrt(6)) }, 1e-14);
  });

  it('gives diagonals their sign where it is negative, and refuses factors', () => {
    const t = truth(product({ reduction: 'sum', scale: -1 }), { labels });
    expect(t.diagGgnExact.w?.data).toEqual([-28]);
    expectWithin(t.diagGgnMc.w, { shape: [1, 1], data: [-82] }, 1e-14);
    for (const quantity of ['sqrtGgnExact', 'sqrtGgnMc', 'kfac', 'kflr'] as const) {
      expect(() => t[quantity]).toThrow('a negative loss scale has no real factor');
    }
  });
});

describe('cross-entropy of given logits', () => {
  const net: NetSpec = {
    inputs: { x: { shape: [1, 1], data: [1], dtype: 'float' } },
    parameters: { logits: { shape: [2, 1], data: [0, Math.log(3)], trainable: true } },
    nodes: [{ id: 'y', inputs: ['x'], op: 'linear', parameters: { weight: 'logits' } }],
    output: 'y',
    loss: { kind: 'crossEntropy', reduction: 'mean', target: { shape: [1], data: [0] } },
  };
  const t = truth(net);

  it('−log ¼', () => expect(evaluate(net).loss).toBeCloseTo(Math.log(4), 14));
  it('softmax − onehot', () => expectWithin(t.gradient.logits, { shape: [2, 1], data: [-0.75, 0.75] }, 1e-14));
  it('p(1 − p)', () => expectWithin(t.diagHessian.logits, { shape: [2, 1], data: [3 / 16, 3 / 16] }, 1e-14));
  it('two columns τ_d(δ_cd − τ_c τ_d)', () => {
    const [a, b] = [0.5, Math.sqrt(0.75)];
    const data = [a * (1 - a * a), -a * b * b, -a * a * b, b * (1 - b * b)];
    expectWithin(t.sqrtGgnExact.logits, { shape: [2, 1, 2, 1], data }, 1e-14);
  });
});

describe('a weight used twice in sequence, y = w·w·x', () => {
  const net: NetSpec = {
    ...product({ reduction: 'sum' }),
    nodes: [
      { id: 'h', inputs: ['x'], op: 'linear', parameters: { weight: 'w' } },
      { id: 'y', inputs: ['h'], op: 'linear', parameters: { weight: 'w' } },
    ],
  };
  const t = truth(net);
  // ℓ = Σ w⁴x², with w = 1 and Σ x² = 14
  it('gradient 4 Σ x²', () => expect(t.gradient.w?.data).toEqual([56]));
  it('Hessian 12 Σ x²', () => expect(t.diagHessian.w?.data).toEqual([168]));
  it('GGN 2 (2x)²', () => expect(t.diagGgnExact.w?.data).toEqual([112]));
  it('Hessian times a vector', () => {
    expect(hessianVectorProduct(net, { w: { shape: [1, 1], data: [0.5] } }).w?.data).toEqual([84]);
  });
  it('input factor over both uses, output factor of the shared virtual bias', () => {
    // dy/dshift = 1 (second use) + w (first use) = 2 for each of 3 samples; times √2
    expectWithin(t.kflr.w?.output, { shape: [1, 1], data: [3 * 8] }, 1e-14);
    expectWithin(t.kflr.w?.input, { shape: [1, 1], data: [28 / 3] }, 1e-14);
  });
});

it('frozen and unused parameters have no results', () => {
  const net = product({});
  const frozen = { ...net, parameters: { w: { shape: [1, 1], data: [1], trainable: false } } };
  expect(truth(frozen).gradient).toEqual({});
  const unused = { ...net, parameters: { ...net.parameters, v: { shape: [1], data: [1], trainable: true } } };
  expect(Object.keys(truth(unused).gradient)).toEqual(['w']);
});

describe('an embedding with a padding id', () => {
  const net: NetSpec = {
    inputs: { ids: { shape: [2, 2], data: [0, 1, 1, 1], dtype: 'int32' } },
    parameters: { e: { shape: [2, 1], data: [5, 7], trainable: true } },
    nodes: [{ id: 'y', inputs: ['ids'], op: 'embedding', parameters: { weight: 'e' }, paddingIdx: 0 }],
    output: 'y',
    loss: { kind: 'mse', reduction: 'sum', target: { shape: [2, 2, 1], data: [0, 0, 0, 0] } },
  };
  const t = truth(net);
  it('reads the row', () => expect(evaluate(net).output.data).toEqual([5, 7, 7, 7]));
  it('but has no gradient to it', () => expect(t.gradient.e?.data).toEqual([0, 42]));
  it('nor counts it', () => {
    expect(t.kflr.e?.input).toEqual({ shape: [2], data: [0, 1.5] });
    // 4 columns of √2; the padding position has none
    expectWithin(t.kflr.e?.output, { shape: [1, 1], data: [6] }, 1e-14);
  });
});
