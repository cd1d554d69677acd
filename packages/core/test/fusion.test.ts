import { describe, expect, test } from 'vitest';
import { add, coordinate, exp, input, max, mul } from '../src/backend/expression.js';
import type { Kernel, KernelCall } from '../src/backend/kernel-call.js';
import { Recorder } from '../src/backend/recorder.js';
import { Recording } from '../src/backend/recording.js';
import type { RecordedBuffer, TensorRef } from '../src/backend/tensor-ref.js';

const relu = max(0, input(0));
const sum = add(input(0), input(1));

/** The calls that remain of what `record` records. `kept` may grow while it does. */
function fused(record: (k: Recorder) => unknown, kept = new Set<RecordedBuffer>()): readonly KernelCall[] {
  const recording = new Recording();
  record(new Recorder('float32', recording));
  return recording.finish(kept).program.calls;
}
const kernels = (...args: Parameters<typeof fused>): readonly string[] => fused(...args).map(({ kernel }) => kernel);
const given = (k: Recorder, ...shape: number[]): TensorRef => k.external(shape, 'float32', 'input');
const specOf = <Name extends keyof Kernel>(calls: readonly KernelCall[], name: Name): Kernel[Name] =>
  calls.find(({ kernel }) => kernel === name)!.spec as Kernel[Name];
/** Zeros after each row and below each image of x [N, H, W]. */
function padded(k: Recorder, x: TensorRef): TensorRef {
  const [N = 1, H = 1, W = 1] = x.shape;
  const target = k.full([N, H + 1, W + 1], 0);
  k.scatterStrided(x, target, [(H + 1) * (W + 1), W + 1, 1], 0, false);
  return target;
}

describe('elementwise chains', () => {
  test('are one map', () => {
    const calls = fused((k) =>
      k.promote(k.map(exp(input(0)), [k.map(relu, [k.map(sum, [given(k, 4), given(k, 4)])])])),
    );
    expect(calls.map(({ kernel }) => kernel)).toEqual(['map']);
    expect(specOf(calls, 'map').expression.instructions.map(({ op }) => op)).toEqual([
      'constant',
      'input',
      'input',
      'add',
      'max',
      'exp',
    ]);
  });
  test('end in a reduction, whose axes are cut where the chain has more', () => {
    const calls = fused((k) => {
      const x = k.map(mul(input(0), input(1)), [given(k, 2, 3), given(k, 3)]);
      k.promote(k.reduce('sum', input(0), [x], [0, 1]));
    });
    expect(calls.map(({ kernel }) => kernel)).toEqual(['reduce']);
    expect(specOf(calls, 'reduce')).toMatchObject({
      reduced: [2, 3],
      inputs: [{ strides: [0, 3, 1] }, { strides: [0, 0, 1] }],
    });
  });
  test('that read a tensor twice read it once', () => {
    const calls = fused((k) => {
      const x = given(k, 4);
      k.promote(k.map(mul(input(0), input(1)), [k.map(relu, [x]), x]));
    });
    expect(calls.map(({ reads }) => reads.length)).toEqual([1]);
  });

  test('stay apart where two read a result', () => {
    expect(
      kernels((k) => {
        const y = k.map(relu, [given(k, 4)]);
        k.promote(k.map(exp(input(0)), [y]));
        k.promote(k.map(mul(2, input(0)), [y]));
      }),
    ).toEqual(['map', 'map', 'map']);
  });
  test('stay apart where somebody outside sees a result', () => {
    const result = (k: Recorder) => k.promote(k.map(exp(input(0)), [k.promote(k.map(relu, [given(k, 4)]))]));
    expect(kernels(result)).toEqual(['map', 'map']);
    const kept = new Set<RecordedBuffer>();
    const later = (k: Recorder) => {
      const y = k.map(relu, [given(k, 4)]);
      kept.add(y.buffer);
      k.promote(k.map(exp(input(0)), [y]));
    };
    expect(kernels(later, kept)).toEqual(['map', 'map']);
  });
  test('stay apart where a source changes in between', () => {
    expect(
      kernels((k) => {
        const state = k.external([4], 'float32', 'parameter');
        const before = k.map(relu, [state]);
        k.update(state, given(k, 4), k.external([], 'float32', 'scalar'), undefined);
        k.promote(k.map(exp(input(0)), [before]));
      }),
    ).toEqual(['map', 'map', 'map']);
  });
  test('stay apart where a reader would write a source', () => {
    expect(
      kernels((k) => {
        const state = k.external([4], 'float32', 'parameter');
        k.update(state, k.map(relu, [state]), k.external([], 'float32', 'scalar'), undefined);
      }),
    ).toEqual(['map', 'map']);
  });
  test('stay apart where a result is broadcast widely, unless it is small', () => {
    const over = (rows: number) => (k: Recorder) =>
      void k.promote(k.map(sum, [k.map(exp(input(0)), [given(k, 100)]), given(k, rows, 100)]));
    expect(kernels(over(3))).toEqual(['map']);
    expect(kernels(over(1000))).toEqual(['map', 'map']);
  });
  test('stay apart where a coordinate counts an axis that would be cut', () => {
    const counted = (k: Recorder) => {
      const x = k.reshape(k.map(sum, [given(k, 2, 3), given(k, 3)]), [6]);
      k.promote(k.map(add(input(0), coordinate(0)), [x]));
    };
    expect(kernels(counted)).toEqual(['map', 'map']);
  });
  test('take no more inputs than every device binds', () => {
    const summed = (many: number) => (k: Recorder) => {
      const inputs = Array.from({ length: many }, () => given(k, 4));
      k.promote(inputs.reduce((total, x) => k.map(sum, [total, x])));
    };
    expect(kernels(summed(7))).toEqual(['map']);
    expect(kernels(summed(9))).toEqual(['map', 'map']);
  });
});

describe('copies', () => {
  test('an activation writes into a padded tensor, and its backward pass reads from one', () => {
    const calls = fused((k) => {
      k.promote(padded(k, k.map(relu, [given(k, 5, 3, 4)])));
      const cotangent = k.gatherStrided(given(k, 5, 4, 5), [5, 3, 4], [20, 5, 1]);
      k.promote(k.map(mul(input(0), input(1)), [cotangent, given(k, 5, 3, 4)]));
    });
    expect(calls.map(({ kernel }) => kernel)).toEqual(['fill', 'map', 'map']);
    expect(calls[1]?.spec).toMatchObject({ shape: [5, 3, 4], inputs: [{ strides: [12, 4, 1] }], to: [20, 5, 1] });
    expect(calls[2]?.spec).toMatchObject({
      inputs: [{ strides: [20, 5, 1] }, { strides: [12, 4, 1] }],
      to: [12, 4, 1],
    });
  });
  test('of copies are one', () => {
    const calls = fused((k) => k.promote(k.permute(k.permute(given(k, 2, 3, 4), [2, 0, 1]), [0, 2, 1])));
    expect(calls.map(({ kernel }) => kernel)).toEqual(['copy']);
    expect(specOf(calls, 'copy')).toMatchObject({ shape: [4, 3, 2], from: [1, 4, 12] });
  });
  test('of int32 too', () => {
    const calls = fused((k) => {
      const ids = k.permute(k.permute(k.external([2, 3], 'int32', 'input'), [1, 0]), [1, 0]);
      k.promote(ids);
    });
    expect(specOf(calls, 'copy')).toMatchObject({ dtype: 'int32', from: [1] });
  });
  test('are read at their source by products and factors', () => {
    const calls = fused((k) => {
      const rows = k.gatherStrided(given(k, 6, 10), [6, 4], [10, 1], 3);
      const weight = given(k, 4, 5);
      k.promote(k.gemm(rows, weight, { M: 6, N: 5, K: 4, a: { m: 4, k: 1 }, b: { k: 5, n: 1 } }, [6, 5]));
      const strides = { v: 24, n: 4, g: 0, f: 1, t: 0 };
      k.promote(k.gram([{ form: 'dense', tensor: rows, V: 1, N: 6, G: 1, F: 4, T: 1, strides }], 'each'));
    });
    expect(calls.map(({ kernel }) => kernel)).toEqual(['gemm', 'gram']);
    expect(calls[0]?.reads[0]?.offset).toBe(3);
    expect(specOf(calls, 'gemm').a).toEqual({ b: 0, m: 10, k: 1 });
    expect(specOf(calls, 'gram').factors[0]?.strides).toMatchObject({ n: 10, f: 1 });
  });
  test('that convert are no copies', () => {
    const converted = (k: Recorder) => {
      const x = k.map(input(0), [k.external([2, 2], 'int32', 'input')]);
      k.promote(k.gemm(x, given(k, 2, 2), { M: 2, N: 2, K: 2, a: { m: 2, k: 1 }, b: { k: 2, n: 1 } }, [2, 2]));
    };
    expect(kernels(converted)).toEqual(['map', 'gemm']);
  });
  test('that turn a tensor stay where several read it', () => {
    const turned = (readers: number) => (k: Recorder) => {
      const y = k.permute(given(k, 6, 7), [1, 0]);
      for (let i = 0; i < readers; i++) k.promote(k.map(add(input(0), 1 + i), [y]));
    };
    expect(kernels(turned(1))).toEqual(['map']);
    expect(kernels(turned(2))).toEqual(['copy', 'map', 'map']);
  });
  test('stay where a large source would live longer for it', () => {
    const first = (columns: number) => (k: Recorder) => {
      const stack = k.map(relu, [given(k, columns, 10_000)]);
      k.promote(k.reduce('sum', input(0), [stack], [0, 1]));
      const copy = k.external([1, 10_000], 'float32', 'scratch');
      k.copyInto(copy, k.rows(stack, 0, 1));
      k.promote(k.reduce('max', input(0), [k.maxPool(given(k, 2, 2), window).values], [0, 1]));
      k.promote(k.map(exp(input(0)), [copy]));
    };
    expect(kernels(first(2))).not.toContain('copy');
    expect(kernels(first(10))).toContain('copy');
  });
});

const window = {
  input: [2],
  kernel: [2],
  output: [1],
  stride: [1],
  dilation: [1],
  low: [0],
  transposed: false,
  mode: 'zeros',
} as const;

describe('fills', () => {
  test('that are overwritten whole are dropped', () => {
    const over = (size: number) => (k: Recorder) => {
      const y = k.full([2, size], 0);
      k.scatterStrided(given(k, 2, 3), y, [size, 1], 0, false);
      k.promote(y);
    };
    expect(kernels(over(3))).toEqual(['copy']);
    expect(kernels(over(4))).toEqual(['fill', 'copy']);
  });
  test('that are added to stay', () => {
    const added = (k: Recorder) => {
      const y = k.full([6], 1);
      k.map(input(0), [given(k, 6)], { into: y });
      k.promote(y);
    };
    expect(kernels(added)).toEqual(['fill', 'map']);
  });
});

describe('a bias', () => {
  const product = (k: Recorder, into: TensorRef): TensorRef =>
    k.gemm(given(k, 4, 5), given(k, 5, 3), { M: 4, N: 3, K: 5, a: { m: 5, k: 1 }, b: { k: 3, n: 1 } }, [4, 3], into);

  test('that a product is added to is its operand', () => {
    const along = (...shape: number[]) =>
      fused((k) => k.promote(product(k, k.map(input(0), [given(k, ...shape)], { shape: [4, 3] }))));
    for (const [shape, bias] of [
      [[3], 'n'],
      [[4, 1], 'm'],
    ] as const) {
      const calls = along(...shape);
      expect(calls.map(({ kernel }) => kernel)).toEqual(['gemm']);
      expect(calls[0]?.reads).toHaveLength(3);
      expect(specOf(calls, 'gemm')).toMatchObject({ bias, accumulate: false });
    }
    expect(along(4, 3).map(({ kernel }) => kernel)).toEqual(['map', 'gemm']);
  });
  test('of a convolution is one number a channel, the same for all columns', () => {
    const convolution = (...shape: number[]) =>
      fused((k) => {
        const view = { G: 2, O: 3, C: 1, K: 2, strides: { g: 6, o: 2, c: 2, k: 1 } };
        const y = k.map(input(0), [given(k, ...shape)], { shape: [2, 4, 6, 1] });
        k.promote(k.convolve(given(k, 2, 4, 2, 2), given(k, 1, 12), view, window, y));
      });
    expect(specOf(convolution(6, 1), 'convolve')).toMatchObject({ bias: true, accumulate: false });
    expect(specOf(convolution(2, 1, 6, 1), 'convolve')).toMatchObject({ accumulate: true });
  });
  test('that reaches beyond the product is written', () => {
    const wider = (k: Recorder) => {
      const y = k.map(input(0), [given(k, 3)], { shape: [6, 3] });
      product(k, k.rows(y, 1, 5));
      k.promote(y);
    };
    expect(kernels(wider)).toEqual(['map', 'gemm']);
  });
  test('that is read on its way, or is not only moved, is written', () => {
    const read = (k: Recorder) => {
      const y = k.map(input(0), [given(k, 3)], { shape: [4, 3] });
      k.promote(k.reduce('sum', input(0), [y], [0, 1]));
      k.promote(product(k, y));
    };
    expect(kernels(read)).toEqual(['map', 'reduce', 'gemm']);
    const twice = (k: Recorder) => k.promote(product(k, k.map(mul(2, input(0)), [given(k, 3)], { shape: [4, 3] })));
    expect(kernels(twice)).toEqual(['map', 'gemm']);
  });
});

describe('a Gram matrix', () => {
  const gramOf = (k: Recorder, x: TensorRef, into?: TensorRef): TensorRef =>
    k.gram(
      [{ form: 'dense', tensor: x, V: 1, N: 4, G: 1, F: 3, T: 1, strides: { v: 0, n: 3, g: 0, f: 1, t: 0 } }],
      'sum',
      into && { into },
    );

  test('of the same factors is copied', () => {
    const twice = (k: Recorder) => {
      const x = given(k, 4, 3);
      for (let i = 0; i < 2; i++) k.promote(gramOf(k, x));
    };
    const calls = fused(twice);
    expect(calls.map(({ kernel }) => kernel)).toEqual(['gram', 'copy']);
    expect(calls[1]?.reads).toEqual(calls[0]?.writes);
  });
  test('of others is not, nor where one of them changes in between', () => {
    expect(kernels((k) => [given(k, 4, 3), given(k, 4, 3)].map((x) => k.promote(gramOf(k, x))))).toEqual([
      'gram',
      'gram',
    ]);
    const changed = (k: Recorder) => {
      const x = k.map(relu, [given(k, 4, 3)]);
      k.promote(gramOf(k, x));
      k.map(relu, [given(k, 4, 3)], { into: x });
      k.promote(gramOf(k, x));
    };
    expect(kernels(changed)).toEqual(['map', 'gram', 'map', 'gram']);
  });
  test('that is summed up from the same factors is copied once, at the end', () => {
    const twice = (k: Recorder) => {
      const xs = [given(k, 4, 3), given(k, 4, 3), given(k, 4, 3)];
      const sums: TensorRef[] = [];
      for (const x of xs) for (const i of [0, 1]) sums[i] = gramOf(k, x, sums[i]);
      for (const sum of sums) k.promote(sum);
    };
    const calls = fused(twice);
    expect(calls.map(({ kernel }) => kernel)).toEqual(['gram', 'gram', 'gram', 'copy']);
    expect(calls[3]?.reads).toEqual(calls[2]?.writes);
  });
  test('that is summed up from others, or read before its end, is not', () => {
    const sum = (k: Recorder, xs: readonly TensorRef[], between?: (sum: TensorRef) => void) => {
      const made = gramOf(k, xs[0] as TensorRef);
      between?.(made);
      for (const x of xs.slice(1)) gramOf(k, x, made);
      k.promote(made);
    };
    const one = (k: Recorder) => [given(k, 4, 3), given(k, 4, 3)];
    const longer = (k: Recorder) => {
      const xs = one(k);
      sum(k, xs);
      sum(k, xs.slice(0, 1));
    };
    expect(kernels(longer)).toEqual(['gram', 'gram', 'gram']);
    const other = (k: Recorder) => {
      const [a, b] = one(k) as [TensorRef, TensorRef];
      sum(k, [a, b]);
      sum(k, [a, a]);
    };
    expect(kernels(other)).toEqual(['gram', 'gram', 'gram', 'gram']);
    const read = (k: Recorder) => {
      const xs = one(k);
      sum(k, xs);
      sum(k, xs, (part) => k.promote(k.map(relu, [part])));
    };
    expect(kernels(read)).toEqual(['gram', 'gram', 'gram', 'map', 'gram']);
  });
});
