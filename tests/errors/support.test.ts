import { cpu } from '@gradpack/backend-cpu';
import {
  add,
  type CustomUse,
  expression,
  extend,
  featuresLast,
  type Layer,
  LINEAR_TRAITS,
  layer,
  Module,
  type Parameter,
  parameter,
  type Shape,
  type TensorRef,
  type Value,
} from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import {
  diagGGNExact,
  diagHessian,
  hessianVectorProduct,
  kfac,
  kflr,
  sqrtGGNExact,
} from '@gradpack/extensions-secondorder';
import { batchNorm2d, embedding, flatten, linear, relu, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss, mseLoss, scaleLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';
import { errorOf, failureOf, x, y } from './harness.js';

const { add: plus, input } = expression;

/** y = x + b with a use of its own: b has as many entries as a sample. */
interface Offset extends Layer<'acme/offset', CustomUse<'acme/offset'>, 'columns'> {
  readonly offset: Parameter;
}
function offset(F: number, curved = false): Offset {
  const b = parameter([F], { kind: 'constant', value: 0.5 });
  return layer<Offset>({
    kind: 'acme/offset',
    offset: b,
    uses: ['acme/offset'],
    carries: ['columns'],
    accepts: 'float',
    traits: () => LINEAR_TRAITS,
    outputShapes: (shape: Shape) => [shape],
    linearize([value], k, context) {
      const u = value as TensorRef;
      const block: CustomUse<'acme/offset'> = {
        kind: 'acme/offset',
        parameter: b,
        curved,
        // T = 1: what arrives is G itself
        blockOf: (a) => k.reshape(a, [...a.shape.slice(0, 2), F]),
      };
      return {
        outputs: [k.map(plus(input(0), input(1)), [u, context.valueOf(b)])],
        uses: [block],
        pull: ([columns], want) => ({
          inputs: [columns],
          terms:
            columns && want.uses[0]
              ? [
                  {
                    use: block,
                    a: featuresLast(columns, F),
                  },
                ]
              : [],
        }),
      };
    },
  });
}

const third = { model: () => sequential(linear(4, 3), offset(3)) };

describe('an unsupported pair', () => {
  test('of extraction: a third-party use without a rule', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { curvature: kfac() }), third);
    expect(error.code).toBe('GRADPACK-UNSUPPORTED-PAIR');
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: one pair is not supported: no rule for kfac of acme/offset.acme/offset (1.offset)
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: no rule for kfac of acme/offset.acme/offset (1.offset)
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
  });
  test('of propagation: a layer that lacks curvature', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { hessian: diagHessian() }), third);
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: one pair is not supported: diagHessian needs curvature through acme/offset
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: diagHessian needs curvature through acme/offset
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
  });
  test('of propagation: a layer that lacks product', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { hvp: hessianVectorProduct() }), third);
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: one pair is not supported: hessianVectorProduct needs product through acme/offset
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: hessianVectorProduct needs product through acme/offset
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
  });
  test('every missing pair is listed, before anything runs', async () => {
    const error = await errorOf(
      ({ net }) => net.backward(x, y, { a: kfac(), b: kflr(), c: diagHessian(), d: hessianVectorProduct() }),
      third,
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: 4 pairs are not supported: no rule for kfac of acme/offset.acme/offset (1.offset); no rule for kflr of acme/offset.acme/offset (1.offset); diagHessian needs curvature through acme/offset; hessianVectorProduct needs product through acme/offset
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: no rule for kfac of acme/offset.acme/offset (1.offset); no rule for kflr of acme/offset.acme/offset (1.offset); diagHessian needs curvature through acme/offset; hessianVectorProduct needs product through acme/offset
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
    expect(error.detail.pairs).toHaveLength(4);
  });
  test('the same pairs are left out and told with onMissing: skip', async () => {
    const net = await extend(third.model(), crossEntropyLoss(), { backend: cpu() });
    const step = await net.backward(
      x,
      y,
      { curvature: kfac(), hessian: diagHessian(), diagonal: diagGGNExact() } as never,
      { onMissing: 'skip' },
    );
    expect(step.skipped).toEqual([
      { quantity: 'kfac', parameter: '1.offset', reason: 'no rule for kfac of acme/offset.acme/offset (1.offset)' },
      { quantity: 'diagHessian', reason: 'diagHessian needs curvature through acme/offset' },
    ]);
    const found = step as unknown as Record<string, Iterable<readonly [string]>>;
    expect([...found.curvature!].map(([name]) => name)).toEqual(['0.weight', '0.bias']);
    expect([...found.hessian!]).toEqual([]);
    expect([...found.diagonal!].map(([name]) => name)).toEqual(['0.weight', '0.bias', '1.offset']);
  });
  test('Kronecker factors of a parameter used in two kinds', async () => {
    class Tied extends Module {
      readonly words = embedding(4, 3);
      readonly decoder = linear(3, 4, { weight: this.words.weight, bias: false });
      forward(ids: Value): Value {
        return this.decoder.forward(this.words.forward(ids));
      }
    }
    const error = await errorOf(({ net }) => net.backward([0, 3], [1, 2], { curvature: kfac() }), {
      model: () => new Tied(),
      input: Int32Array.of(0, 3),
      target: [1, 2],
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: one pair is not supported: kfac of words.weight: used as matrix [G = 1, O = 4, C = 3, K = 1] with strides 0, 3, 1, 0 and lookup
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: kfac of words.weight: used as matrix [G = 1, O = 4, C = 3, K = 1] with strides 0, 3, 1, 0 and lookup
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
  });
  test('a root of a loss that is scaled below 0', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { root: sqrtGGNExact(), factors: kfac() }), {
      loss: scaleLoss(crossEntropyLoss(), -2),
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: 2 pairs are not supported: sqrtGGNExact needs a real factor of the loss Hessian, and the loss has a negative scale; kfac needs a real factor of the loss Hessian, and the loss has a negative scale
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: sqrtGGNExact needs a real factor of the loss Hessian, and the loss has a negative scale; kfac needs a real factor of the loss Hessian, and the loss has a negative scale
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
  });
});

describe('a loss that is not a scalar', () => {
  const squares = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  test.each([
    ['cross-entropy', crossEntropyLoss({ reduction: 'none' }), y],
    ['scaled', scaleLoss(crossEntropyLoss({ reduction: 'none' }), 2), y],
    ['squared error', mseLoss({ reduction: 'none' }), squares],
  ] as const)('%s', async (_, loss, target) => {
    const backend = cpu({ precision: 'float64' });
    const net = await extend(sequential(linear(4, 3)), loss, { backend });
    const { live } = backend.memory();
    const error = await failureOf(() => net.backward(x, target));
    expect(error.code).toBe('GRADPACK-LOSS-NOT-SCALAR');
    expect(error.message).toMatchSnapshot();
    expect(backend.memory().live).toBe(live);
    const output = await net.forward(x); // still of use
    expect(output.shape).toEqual([2, 3]);
  });
});

describe('batch normalisation in training', () => {
  const images = { data: Float64Array.from({ length: 16 }, (_, i) => Math.cos(i)), shape: [2, 2, 2, 2] };
  const model = () => sequential(batchNorm2d(2), flatten(), linear(8, 3));
  test('is refused, also with a stated mode', async () => {
    for (const options of [undefined, { mode: 'train' }]) {
      const error = await errorOf(({ net }) => net.backward(images, y, {}, options), { model, input: images });
      expect(error.code).toBe('GRADPACK-UNSUPPORTED-MODE');
      if (!options)
        expect(error.message).toMatchInlineSnapshot(`
        "GRADPACK-UNSUPPORTED-MODE: batchNorm2d does not work in training mode yet
          where: batchNorm2d
          expected: mode 'eval'
          got: mode 'train'
          fix: call model.eval() or norm.eval(): the running statistics are then used as they are"
      `);
    }
  });
  test('eval() of the layer or of the model helps', async () => {
    for (const calm of [model().eval(), sequential(batchNorm2d(2).eval(), flatten(), linear(8, 3))]) {
      const net = await extend(calm, crossEntropyLoss(), { backend: cpu() });
      (await net.backward(images, y)).dispose();
    }
  });
});

describe('more memory than allowed', () => {
  test('names quantity, bytes and remedy', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { individual: batchGrad() }, { memoryLimit: 300 }));
    expect(error.code).toBe('GRADPACK-OUT-OF-MEMORY');
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OUT-OF-MEMORY: the step needs 512 bytes, of which individual (batchGrad) takes 240
        where: net.backward
        expected: at most 300 bytes in all (memoryLimit) and 4294967288 in one tensor
        got: 144 for the computation, 368 for results, 0 kept for products
        fix: use a smaller batch, ask for a sum in place of results per sample, or raise memoryLimit"
    `);
    expect(error.detail).toMatchObject({ quantity: 'individual' });
  });
  test('the gradient alone', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, {}, { memoryLimit: 10 }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OUT-OF-MEMORY: the step needs 272 bytes
        where: net.backward
        expected: at most 10 bytes in all (memoryLimit) and 4294967288 in one tensor
        got: 144 for the computation, 128 for results, 0 kept for products
        fix: use a smaller batch, ask for a sum in place of results per sample, or raise memoryLimit"
    `);
  });
  test('smaller chunks are tried first', async () => {
    const error = await errorOf(({ net }) => net.backward(x, y, { hessian: diagHessian() }, { memoryLimit: 500 }), {
      model: () => sequential(linear(4, 6), sigmoid(), linear(6, 3)),
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OUT-OF-MEMORY: the step needs 1480 bytes, of which hessian (diagHessian) takes 408
        where: net.backward
        expected: at most 500 bytes in all (memoryLimit) and 4294967288 in one tensor
        got: 656 for the computation, 824 for results, 0 kept for products
        fix: use a smaller batch, ask for a sum in place of results per sample, or raise memoryLimit"
    `);
  });
  test('columns carried in one growing pass on demand', async () => {
    const error = await errorOf(
      ({ net }) => net.backward(x, y, { hessian: diagHessian() }, { memoryLimit: 500, inner: 'growing' }),
      { model: () => sequential(linear(4, 6), sigmoid(), linear(6, 3)) },
    );
    expect(error.code).toBe('GRADPACK-OUT-OF-MEMORY');
  });
});

describe('modules', () => {
  test('a layer in a private field', async () => {
    class Hidden extends Module {
      readonly seen = linear(4, 3);
      readonly #fc = linear(3, 3);
      open = true;
      forward(value: Value): Value {
        return this.open ? this.seen.forward(value) : this.#fc.forward(this.seen.forward(value));
      }
    }
    const error = await errorOf(
      ({ net, model }) => {
        (model as Hidden).open = false;
        return net.backward(x, y).finally(() => {
          (model as Hidden).open = true;
        });
      },
      { model: () => new Hidden() },
    );
    expect(error.code).toBe('GRADPACK-UNNAMED-LAYER');
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-UNNAMED-LAYER: forward() calls a linear layer that has no name
        where: linear.forward
        expected: layers in public fields or arrays of a module, from which names such as \`body.0.weight\` come
        got: a linear layer that is reachable only through a private field, a closure, or was made inside forward()
        fix: keep the layer in a public field of the module (\`readonly fc = linear(2, 2)\`, not \`#fc\`)"
    `);
  });
  test('one that keeps a module with parameters there', async () => {
    class Hidden extends Module {
      readonly seen = linear(4, 3);
      readonly #body = sequential(linear(4, 3));
      open = true;
      forward(value: Value): Value {
        return this.open ? this.seen.forward(value) : this.#body.forward(value);
      }
    }
    const error = await errorOf(
      ({ net, model }) => {
        (model as Hidden).open = false;
        return net.backward(x, y).finally(() => {
          (model as Hidden).open = true;
        });
      },
      { model: () => new Hidden() },
    );
    expect(error.code).toBe('GRADPACK-UNNAMED-LAYER');
  });
  test('layers without parameters may be private', async () => {
    class Hidden extends Module {
      readonly fc = linear(4, 3);
      readonly #activation = relu();
      forward(value: Value): Value {
        return this.#activation.forward(this.fc.forward(value));
      }
    }
    const net = await extend(new Hidden(), crossEntropyLoss(), { backend: cpu() });
    (await net.backward(x, y)).dispose();
  });
  test('a value kept from an earlier forward()', async () => {
    class Keeps extends Module {
      readonly fc = linear(4, 3);
      kept: Value | undefined;
      keeps = false;
      forward(value: Value): Value {
        const features = this.fc.forward(value);
        if (!this.keeps) {
          Object.defineProperty(this, 'kept', {
            value: features,
            enumerable: false,
            writable: true,
            configurable: true,
          });
          return features;
        }
        return add(features, this.kept as Value);
      }
    }
    const error = await errorOf(
      ({ net, model }) => {
        (model as Keeps).keeps = true;
        return net.backward(x, y).finally(() => {
          (model as Keeps).keeps = false;
        });
      },
      { model: () => new Keeps() },
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: a value of another forward pass was used
        where: add.forward
        expected: values made in this forward()
        got: a value of shape [2, 3] kept from an earlier forward()
        fix: do not store values in fields; compute them again in each forward()"
    `);
  });
  test('a layer of a big net is named in its errors', async () => {
    const error = await errorOf(
      ({ net, model }) => {
        const { layers } = model as unknown as { layers: Module[] };
        const [first] = layers.splice(0, 1, sequential());
        return net.backward(x, y).finally(() => layers.splice(0, 1, first as Module));
      },
      { model: () => sequential(sequential(linear(4, 5)), sequential(relu(), linear(5, 3))) },
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-SHAPE: linear(5, 3) got an input of the wrong shape
        where: 1.1 (linear)
        expected: [N, ..., 5]
        got: [2, 4]
        fix: make it linear(4, 3), or change what comes before"
    `);
  });
});
