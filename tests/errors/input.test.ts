import { cpu } from '@gradpack/backend-cpu';
import { extend, Module, tensor, type Value } from '@gradpack/core';
import { batchGrad, batchL2Grad } from '@gradpack/extensions-firstorder';
import { diagGGNMC, hessianVectorProduct, kfac, sqrtGGNExact } from '@gradpack/extensions-secondorder';
import { conv2d, embedding, flatten, linear, maxPool2d, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss, mseLoss, scaleLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';
import { errorOf, failureOf, x, y } from './harness.js';

const tokens = { data: Int32Array.of(0, 1, 2, 0, 3, 1), shape: [2, 3] };
const reader = { model: () => sequential(embedding(4, 2), flatten(), linear(6, 3)), input: tokens };
const regression = {
  model: () => sequential(linear(4, 2)),
  loss: mseLoss(),
  target: [
    [1, 2],
    [3, 4],
  ],
};

describe('shapes', () => {
  test('of the input', async () => {
    const error = await errorOf(({ net }) =>
      net.backward(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        y,
      ),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: linear(4, 3) got an input of the wrong shape
        where: 0 (linear)
        expected: [N, ..., 4]
        got: [2, 3]
        fix: make it linear(3, 3), or change what comes before"
    `);
  });
  test('of the input, an axis too many', async () => {
    const error = await errorOf(({ net }) => net.backward({ data: new Float32Array(8), shape: [2, 2, 2] }, y));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: linear(4, 3) got an input of the wrong shape
        where: 0 (linear)
        expected: [N, ..., 4]
        got: [2, 2, 2]
        fix: put flatten() in front"
    `);
  });
  test('of the input of a convolution', async () => {
    const images = { data: new Float32Array(2 * 3 * 16), shape: [2, 3, 4, 4] };
    const error = await errorOf(({ net }) => net.backward(images, y), {
      model: () => sequential(conv2d(1, 2, 3), relu(), maxPool2d(2), flatten(), linear(2, 3)),
      input: { data: new Float32Array(32).fill(1), shape: [2, 1, 4, 4] },
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: conv2d got an input of the wrong shape
        where: 0 (conv2d)
        expected: [N, 1, height, width]
        got: [2, 3, 4, 4]
        fix: make the layer with 3 input channels, or move the channels to axis 1"
    `);
  });
  test('of the target', async () => {
    const error = await errorOf(({ net }) => net.backward(x, Int32Array.of(0, 1, 2)));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the target has the wrong shape
        where: net.backward
        expected: [2]
        got: [3]
        fix: pass the target of shape [2]"
    `);
  });
  test('of the target of a regression', async () => {
    const error = await errorOf(({ net }) => net.backward(x, [1, 2]), regression);
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the target has the wrong shape
        where: net.backward
        expected: [2, 2]
        got: [2]
        fix: pass the target of shape [2, 2]"
    `);
  });
  test('of data that does not fill its shape', async () => {
    const error = await errorOf(({ net }) => net.backward({ data: new Float32Array(7), shape: [2, 4] }, y));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the data does not fill its shape
        where: net.backward
        expected: 8 numbers for shape [2, 4]
        got: 7 numbers
        fix: pass a shape whose product is the number of entries"
    `);
  });
  test('of nested arrays that are ragged', async () => {
    const error = await errorOf(({ net }) =>
      net.backward(
        [
          [1, 2, 3, 4],
          [5, 6],
        ],
        y,
      ),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: a nested array is ragged
        where: net.backward
        expected: every array at depth 1 to have 4 entries
        got: 2 entries
        fix: make all rows equally long, or pass { data, shape }"
    `);
  });
  test('of two inputs with different batches', async () => {
    class Two extends Module {
      readonly fc = linear(4, 3);
      forward(a: Value, b: Value): Value {
        return b.shape[0] === a.shape[0] ? this.fc.forward(a) : this.fc.forward(b);
      }
    }
    const input = [
      { data: new Float32Array(8), shape: [2, 4] },
      { data: new Float32Array(4), shape: [1, 4] },
    ];
    const error = await errorOf(({ net }) => net.backward(input, y), {
      model: () => new Two(),
      input: [input[0]!, input[0]!],
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the inputs have different batch sizes
        where: net.backward
        expected: one N for all inputs
        got: [2, 4] and [1, 4]
        fix: put the batch on axis 0 of every input"
    `);
  });
  test('of a tensor', async () => {
    const error = await errorOf(({ backend }) => tensor(backend, [1, 2, 3], [2, 2]));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the data does not fill its shape
        where: tensor
        expected: 4 numbers for shape [2, 2]
        got: 3 numbers
        fix: pass a shape whose product is the number of entries"
    `);
  });
  test('of a parameter', async () => {
    const error = await errorOf(({ net }) => net.parameters.get('0.weight')!.set([[1, 2]]));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the numbers do not fit the parameter
        where: parameter.set
        expected: [3, 4]
        got: [1, 2]
        fix: pass numbers of the parameter’s shape, nested or flat"
    `);
  });
  test('of an update', async () => {
    const error = await errorOf(({ net }) => net.update({ '0.bias': [1, 2] }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the step of 0.bias has the wrong shape
        where: net.update
        expected: [3]
        got: [2]
        fix: pass the step of 0.bias of shape [3]"
    `);
  });
  test('of a vector of a product', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = await net.backward(x, y, { hvp: hessianVectorProduct() });
      try {
        await (step as unknown as { hvp(v: object): Promise<unknown> }).hvp({ '0.bias': [1, 2] });
      } finally {
        step.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the vector for 0.bias has the wrong shape
        where: hessianVectorProduct
        expected: [3], or [V, 3] for several vectors
        got: [2]
        fix: give one vector, or several along a first axis"
    `);
  });
  test('of vectors of a product that differ in number', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = await net.backward(x, y, { hvp: hessianVectorProduct() });
      try {
        const several = { data: new Float32Array(24), shape: [2, 3, 4] };
        await (step as unknown as { hvp(v: object): Promise<unknown> }).hvp({
          '0.bias': [1, 2, 3],
          '0.weight': several,
        });
      } finally {
        step.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the vectors differ in number
        where: hessianVectorProduct
        expected: the same first axis V for all parameters, or none
        got: [3], [2, 3, 4]
        fix: give equally many vectors for each parameter"
    `);
  });
  test('of an array to read into', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = await net.backward(x, y);
      try {
        await (step as unknown as { loss: { data(into: Float64Array): Promise<unknown> } }).loss.data(
          new Float64Array(2),
        );
      } finally {
        step.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the array to read into has the wrong length
        where: tensor.data
        expected: 1
        got: 2
        fix: pass a typed array of 1 entries"
    `);
  });
  test('of given labels', async () => {
    const labels = { data: Int32Array.of(0, 1, 2), shape: [1, 3] };
    const error = await errorOf(({ net }) => net.backward(x, y, { curvature: kfac({ labels }) }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the set of labels has the wrong shape
        where: net.backward
        expected: [1, 2]
        got: [1, 3]
        fix: pass the set of labels of shape [1, 2]"
    `);
  });
  test('of a forward() that changes the batch', async () => {
    const error = await errorOf(({ net, model }) => {
      model.forward = (value: Value) => ({ ...value, shape: [1, 8] });
      return net.backward(x, y).finally(() => Reflect.deleteProperty(model, 'forward'));
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: forward() must return one value of this pass, the batch first
        where: model.forward
        expected: a value of shape [2, ...]
        got: [1, 8]
        fix: return the value that goes to the loss"
    `);
  });
  test('of an output without classes', async () => {
    const text = await failureOf(() => crossEntropyLoss().target([3]));
    expect(text.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: crossEntropyLoss got an output without classes
        where: crossEntropyLoss
        expected: [N, C, ...positions], classes on axis 1
        got: [3]
        fix: let the last layer give one logit for each class"
    `);
  });
  test('of a state dict', async () => {
    const error = await errorOf(({ model }) =>
      model.loadStateDict({ '0.weight': { data: new Float32Array(8), shape: [2, 4] }, '0.bias': [1, 2, 3] }),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: 0.weight has another shape in the state dict
        where: model.loadStateDict
        expected: [3, 4]
        got: [2, 4]
        fix: load a state dict of the same architecture"
    `);
  });
  test('names of a state dict', async () => {
    const error = await errorOf(({ model }) =>
      model.loadStateDict({ 'fc.weight': { data: new Float32Array(12), shape: [3, 4] }, '0.bias': [1, 2, 3] }),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNKNOWN-NAME: the state dict does not belong to this model
        where: model.loadStateDict
        expected: 0.weight, 0.bias
        got: without 0.weight; with unknown fc.weight
        fix: load a state dict of the same architecture"
    `);
    expect(error.detail).toMatchObject({ missing: ['0.weight'], unknown: ['fc.weight'] });
  });
});

describe('an empty batch', () => {
  test('of nested arrays', async () => {
    const error = await errorOf(({ net }) => net.backward([], []));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the batch is empty
        where: net.backward
        expected: an input of shape [N, ...] with N ≥ 1
        got: [0]
        fix: skip empty batches"
    `);
  });
  test('with its shape', async () => {
    const error = await errorOf(({ net }) =>
      net.backward({ data: new Float32Array(0), shape: [0, 4] }, new Int32Array(0)),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the batch is empty
        where: net.backward
        expected: an input of shape [N, ...] with N ≥ 1
        got: [0, 4]
        fix: skip empty batches"
    `);
  });
  test('forward', async () => {
    const error = await errorOf(({ net }) => net.forward({ data: new Float32Array(0), shape: [0, 4] }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the batch is empty
        where: net.forward
        expected: an input of shape [N, ...] with N ≥ 1
        got: [0, 4]
        fix: skip empty batches"
    `);
  });
  test('a single number', async () => {
    const error = await errorOf(({ net }) => net.backward(3, y));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: there is no batch
        where: net.backward
        expected: an input of shape [N, ...] with N ≥ 1
        got: []
        fix: put the batch in front, with N = 1 for a single sample"
    `);
  });
});

describe('class indices on the host', () => {
  test('too large', async () => {
    const error = await errorOf(({ net }) => net.backward(x, Int32Array.of(0, 3)));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-INDEX: class indices are out of range
        where: net.backward
        expected: whole numbers from 0 to 2
        got: 3 at entry 1
        fix: check the data, or give the last layer more outputs or the embedding more rows"
    `);
    expect(error.code).toBe('GRADPACK-INDEX');
  });
  test('negative', async () => {
    const error = await errorOf(({ net }) => net.backward(x, [0, -1]));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-INDEX: class indices are out of range
        where: net.backward
        expected: whole numbers from 0 to 2
        got: -1 at entry 1
        fix: check the data, or give the last layer more outputs or the embedding more rows"
    `);
  });
  test('not whole', async () => {
    const error = await errorOf(({ net }) => net.backward(x, [0, 1.5]));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: class indices are not whole numbers
        where: net.backward
        expected: whole numbers from 0 to 2
        got: 1.5 at entry 1
        fix: pass class or token ids, not probabilities"
    `);
    expect(error.code).toBe('GRADPACK-DTYPE');
  });
  test('NaN', async () => {
    const error = await errorOf(({ net }) => net.backward(x, [0, Number.NaN]));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: class indices are not whole numbers
        where: net.backward
        expected: whole numbers from 0 to 2
        got: NaN at entry 1
        fix: pass class or token ids, not probabilities"
    `);
  });
  test('in a tensor made from the host', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const target = tensor(backend, Int32Array.of(0, 7));
      try {
        await net.backward(x, target);
      } finally {
        target.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-INDEX: class indices are out of range
        where: net.backward
        expected: whole numbers from 0 to 2
        got: numbers from 0 to 7
        fix: check the data, or give the last layer more outputs or the embedding more rows"
    `);
  });
  test('in a float tensor', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const target = tensor(backend, [0, 2]);
      try {
        await net.backward(x, target);
      } finally {
        target.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: the target tensor holds floats
        where: net.backward
        expected: class indices as int32
        got: a float tensor
        fix: make it from an Int32Array"
    `);
  });
  test('of given labels', async () => {
    const labels = { data: Int32Array.of(0, 3), shape: [1, 2] };
    const error = await errorOf(({ net }) => net.backward(x, y, { curvature: diagGGNMC({ labels }) }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-INDEX: labels are out of range
        where: net.backward
        expected: whole numbers from 0 to 2
        got: 3 at entry 1
        fix: check the data, or give the last layer more outputs or the embedding more rows"
    `);
  });
});

describe('ids and floats', () => {
  test('a token id out of range', async () => {
    const error = await errorOf(
      ({ net }) => net.backward({ data: Int32Array.of(0, 1, 2, 0, 4, 1), shape: [2, 3] }, y),
      reader,
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-INDEX: ids are out of range
        where: net.backward
        expected: whole numbers from 0 to 3
        got: 4 at entry 4
        fix: check the data, or give the last layer more outputs or the embedding more rows"
    `);
  });
  test('a token id that is not whole', async () => {
    const error = await errorOf(
      ({ net }) =>
        net.backward(
          [
            [0, 1, 2],
            [0.5, 1, 2],
          ],
          y,
        ),
      reader,
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: ids are not whole numbers
        where: net.backward
        expected: whole numbers from 0 to 3
        got: 0.5 at entry 3
        fix: pass class or token ids, not probabilities"
    `);
  });
  test('float ids from the host that are whole are taken', async () => {
    const error = await errorOf(async ({ net }) => {
      (
        await net.backward(
          [
            [0, 1, 2],
            [0, 3, 1],
          ],
          y,
        )
      ).dispose();
      await net.backward(
        [
          [0, 1, 2],
          [0, 4, 1],
        ],
        y,
      );
    }, reader);
    expect(error.code).toBe('GRADPACK-INDEX');
  });
  test('a float tensor of ids', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const ids = tensor(backend, [
        [0, 1, 2],
        [0, 3, 1],
      ]);
      await net.backward(ids, y).finally(() => ids.dispose());
    }, reader);
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: input 0 is used as ids by embedding
        where: net.backward
        expected: an int32 tensor
        got: a float tensor
        fix: make the tensor from an Int32Array, and give ids and features as two inputs"
    `);
  });
  test('ids into a layer that takes floats', async () => {
    const error = await errorOf(({ net }) =>
      net.backward({ data: Int32Array.from({ length: 8 }, () => 1), shape: [2, 4] }, y),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: linear takes float values
        where: 0 (linear)
        expected: a float value
        got: int32 ids
        fix: pass a Float32Array, or put an embedding in front"
    `);
  });
  test('floats of a layer into an embedding', async () => {
    class Wrong extends Module {
      readonly fc = linear(4, 3);
      readonly words = embedding(5, 3);
      broken = false;
      forward(value: Value): Value {
        const features = this.fc.forward(value);
        return this.broken ? this.words.forward(features) : features;
      }
    }
    const error = await errorOf(
      async ({ net, model }) => {
        (model as Wrong).broken = true;
        await net.backward(x, y).finally(() => {
          (model as Wrong).broken = false;
        });
      },
      { model: () => new Wrong() },
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: embedding takes whole numbers
        where: words (embedding)
        expected: int32 ids straight from an input of the net
        got: the float output of linear
        fix: feed ids as an input of the net"
    `);
  });
  test('an input that is both', async () => {
    class Both extends Module {
      readonly words = embedding(5, 3);
      readonly fc = linear(3, 3);
      broken = false;
      forward(ids: Value): Value {
        return this.broken ? this.fc.forward(ids) && this.words.forward(ids) : this.words.forward(ids);
      }
    }
    const error = await errorOf(
      async ({ net, model }) => {
        (model as Both).broken = true;
        await net.backward([[0, 1, 2]], [[0, 1, 2]]).finally(() => {
          (model as Both).broken = false;
        });
      },
      { model: () => new Both(), input: { data: Int32Array.of(0, 1, 2), shape: [1, 3] }, target: [[0, 1, 2]] },
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: input 0 is used as ids by embedding
        where: net.backward
        expected: ids that feed only layers that take ids
        got: an input that also feeds layers that take floats
        fix: make the tensor from an Int32Array, and give ids and features as two inputs"
    `);
  });
  test('an int32 tensor as the target of a regression', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const target = tensor(backend, Int32Array.of(1, 2, 3, 4), [2, 2]);
      await net.backward(x, target).finally(() => target.dispose());
    }, regression);
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: the target is an int32 tensor
        where: net.backward
        expected: a float tensor
        got: an int32 tensor
        fix: make it from a Float32Array, a Float64Array or nested arrays"
    `);
  });
  test('an int32 tensor as an update', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const step = tensor(backend, Int32Array.of(1, 2, 3));
      await net.update({ '0.bias': step }).finally(() => step.dispose());
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DTYPE: the step of 0.bias is an int32 tensor
        where: net.update
        expected: a float tensor
        got: an int32 tensor
        fix: make it from a Float32Array, a Float64Array or nested arrays"
    `);
  });
});

describe('what is no array of numbers', () => {
  test.each([
    ['undefined', undefined],
    ['a promise', Promise.resolve([[1]])],
    ['text', [['a', 'b', 'c', 'd']]],
    ['null inside', [[1, 2, null, 4]]],
    ['a shape without data', { shape: [2, 4] }],
    ['big integers', new BigInt64Array(4)],
  ])('%s', async (_, input) => {
    const error = await errorOf(({ net }) => net.backward(input, y));
    expect(error.code).toBe('GRADPACK-DTYPE');
    expect(error.message).toMatchSnapshot();
  });
});

describe('what GradPack did not make', () => {
  class Pair extends Module {
    readonly fc = linear(4, 3);
    broken = false;
    forward(first: Value, second?: Value): Value {
      return this.broken ? this.fc.forward(second as Value) : this.fc.forward(first);
    }
  }
  test('an input that was not given', async () => {
    const error = await errorOf(
      async ({ net, model }) => {
        (model as Pair).broken = true;
        await net.backward(x, y).finally(() => {
          (model as Pair).broken = false;
        });
      },
      { model: () => new Pair() },
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: something here was not made by GradPack
        where: linear.forward
        expected: a module, loss, quantity, value or tensor made by @gradpack/core or a package built on it
        got: undefined
        fix: make it with the functions and classes of these packages"
    `);
  });
  test('a quantity that was not called', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { individual: batchGrad }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: something here was not made by GradPack
        where: net.backward
        expected: a module, loss, quantity, value or tensor made by @gradpack/core or a package built on it
        got: a function (one that was not called?)
        fix: make it with the functions and classes of these packages"
    `);
  });
  test('nothing as a quantity', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { individual: undefined }));
    expect(error.code).toBe('GRADPACK-OPTION');
  });
  test('a forward() that returns an array', async () => {
    const error = await errorOf(({ net, model }) => {
      model.forward = ((...values: Value[]) => values) as never;
      return net.backward(x, y).finally(() => Reflect.deleteProperty(model, 'forward'));
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: something here was not made by GradPack
        where: model.forward
        expected: a module, loss, quantity, value or tensor made by @gradpack/core or a package built on it
        got: an array
        fix: make it with the functions and classes of these packages"
    `);
  });
});

describe('numbers that are not finite', () => {
  test('with checkFinite: which results', async () => {
    const error = await errorOf(({ net }) =>
      net.backward(
        [
          [1, 2, Number.NaN, 4],
          [1, 1, 1, 1],
        ],
        y,
        { individual: batchGrad(), root: sqrtGGNExact() },
        { checkFinite: true },
      ),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-NOT-FINITE: a step is not finite
        where: net.backward
        expected: finite numbers in the loss and in every result
        got: NaN or infinity in loss, gradient of 0.weight, gradient of 0.bias, individual of 0.weight, individual of 0.bias, root of 0.weight, root of 0.bias
        fix: look for NaN or huge numbers in the input and the parameters, or take smaller steps"
    `);
    expect(error.code).toBe('GRADPACK-NOT-FINITE');
    expect(error.detail.results).toContain('individual of 0.weight');
  });
  test('with checkFinite: only where they are', async () => {
    // the gradient is finite, its square is not in float32
    const error = await errorOf(
      ({ net }) =>
        net.backward(
          [
            [1e25, 1],
            [1e25, 1],
          ],
          [0, 1],
          { norms: batchL2Grad() },
          { checkFinite: true },
        ),
      { model: () => sequential(linear(2, 3)), input: [[1, 1]], target: [0], backend: cpu() },
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-NOT-FINITE: a step is not finite
        where: net.backward
        expected: finite numbers in the loss and in every result
        got: NaN or infinity in norms of 0.weight
        fix: look for NaN or huge numbers in the input and the parameters, or take smaller steps"
    `);
  });
  test('without it they pass on', async () => {
    const backend = cpu();
    const net = await extend(sequential(linear(1, 2)), crossEntropyLoss(), { backend });
    using step = await net.backward([[Number.NaN]], [0]);
    expect((await step.loss.data())[0]).toBeNaN();
  });
});

describe('options', () => {
  test.each([
    ['mode', { mode: 'training' }],
    ['onMissing', { onMissing: 'ignore' }],
    ['inner', { inner: 'both' }],
    ['columns', { columns: 0 }],
    ['columns that are not whole', { columns: 1.5 }],
    ['memoryLimit', { memoryLimit: Number.NaN }],
    ['memoryLimit 0', { memoryLimit: 0 }],
  ])('%s', async (_, options) => {
    const error = await errorOf(({ net }) => net.backward(x, y, {}, options));
    expect(error.code).toBe('GRADPACK-OPTION');
    expect(error.message).toMatchSnapshot();
  });
  test('samples: 0', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { curvature: kfac({ samples: 0 }) }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: a sampled quantity needs at least one sample
        where: sampledFactor
        expected: a whole number, 1 or more
        got: 0
        fix: pass { samples: 1 }, or use the exact quantity"
    `);
    expect(error.code).toBe('GRADPACK-OPTION');
  });
  test('labels that are not as many as samples', async () => {
    const labels = { data: Int32Array.of(0, 1), shape: [1, 2] };
    const error = await errorOf(({ net }) => net.backward(x, y, { curvature: diagGGNMC({ samples: 2, labels }) }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: the given labels do not fit the number of samples
        where: sampledFactor
        expected: [2, N, ...positions]
        got: [1, 2]
        fix: pass one set of labels per sample"
    `);
  });
  test('rows that are no rows', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { some: batchGrad({ rows: [0, 1.5] }) }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: rows must be rows of the batch
        where: batchGrad
        expected: one or more whole numbers, 0 or more
        got: 1.5
        fix: pass row numbers such as { rows: [0, 2] }"
    `);
  });
  test('rows that the batch does not have', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { some: batchGrad({ rows: [0, 2] }) }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: a row is asked for that the batch does not have
        where: net.backward
        expected: rows from 0 to 1
        got: 2
        fix: choose rows for each batch by its size; the last one of an epoch may be smaller"
    `);
  });
  test('rows of a root that the batch does not have', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { some: sqrtGGNExact({ rows: [5] }) }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: a row is asked for that the batch does not have
        where: net.backward
        expected: rows from 0 to 1
        got: 5
        fix: choose rows for each batch by its size; the last one of an epoch may be smaller"
    `);
  });
  test('a scale of an update that is no number', async () => {
    const error = await errorOf(({ net }) => net.update({ '0.bias': [1, 2, 3] }, { scale: Number.NaN }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: the scale of an update is not a number
        where: net.update
        expected: a finite number, such as minus the learning rate
        got: NaN
        fix: look where the learning rate comes from"
    `);
  });
  test('a seed that is no word', async () => {
    const error = await errorOf(({ net }) => net.loadState({ seed: 0.5, step: 1 }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: seed is not a whole number
        where: net.loadState
        expected: a whole number of at most 32 bits
        got: 0.5
        fix: pass a seed such as 0"
    `);
  });
  test('a reduction that is none', async () => {
    const error = await errorOf(() => crossEntropyLoss({ reduction: 'average' as never }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: reduction is not known
        where: crossEntropyLoss
        expected: 'mean', 'sum' or 'none'
        got: average
        fix: choose one of these"
    `);
  });
  test('a loss scaled by NaN', async () => {
    const error = await errorOf(() => scaleLoss(crossEntropyLoss(), Number.NaN));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: a loss can only be scaled by a finite number
        where: scaleLoss
        expected: a finite number
        got: NaN
        fix: pass a number such as 0.5"
    `);
  });
});

describe('names', () => {
  test('of an update', async () => {
    const error = await errorOf(({ net }) => net.update({ 'fc.bias': [1, 2, 3] }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNKNOWN-NAME: there is no parameter fc.bias
        where: net.update
        expected: 0.weight, 0.bias
        got: fc.bias
        fix: use one of the names above"
    `);
  });
  test('of results of another net', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const other = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
      const step = await other.backward(x, y);
      try {
        await net.update(step.gradient);
      } finally {
        step.dispose();
        await other.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNKNOWN-NAME: the results are not of parameters of this net
        where: net.update
        expected: results for 0.weight, 0.bias
        got: one for a parameter of shape [3, 4] of another net
        fix: update the net whose step this is"
    `);
  });
  test('of a result', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = await net.backward(x, y, { individual: batchGrad() });
      try {
        (step as unknown as { individual: { get(name: string): unknown } }).individual.get('1.weight');
      } finally {
        step.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-NO-RESULT: step.individual has no result for 1.weight: it is not a parameter of this net
        where: step.individual.get
        expected: 0.weight, 0.bias
        got: 1.weight
        fix: ask has() first, or use one of the names above"
    `);
  });
  test('of a result of a frozen parameter', async () => {
    const error = await errorOf(async ({ net }) => {
      const bias = net.parameters.get('0.bias')!;
      bias.trainable = false;
      const step = await net.backward(x, y);
      try {
        (step as unknown as { gradient: { get(name: unknown): unknown } }).gradient.get(bias);
      } finally {
        bias.trainable = true;
        step.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-NO-RESULT: step.gradient has no result for 0.bias: it is frozen
        where: step.gradient.get
        expected: 0.weight
        got: 0.bias
        fix: set parameter.trainable = true before the step"
    `);
  });
  test('of a gradient that was switched off', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = await net.backward(x, y, {}, { gradient: false });
      try {
        (step as unknown as { gradient: { get(name: string): unknown } }).gradient.get('0.bias');
      } finally {
        step.dispose();
      }
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-NO-RESULT: step.gradient has no result for 0.bias: the output does not depend on it, or it was left out
        where: step.gradient.get
        expected: no parameter at all
        got: 0.bias
        fix: ask has() first, or use one of the names above"
    `);
  });
});
