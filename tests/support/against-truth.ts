import {
  type Backend,
  type BackwardOptions,
  extend,
  GradPackError,
  type HostArray,
  type Parameter,
  type Results,
  type Tensor,
} from '@gradpack/core';
import {
  evaluate,
  ggnVectorProduct,
  hessianVectorProduct,
  type NetSpec,
  randomLabels,
  type SpecArray,
  truth,
} from '@gradpack/testkit';
import { type Compared, type QuantityError, relativeErrors } from './compare.js';
import { quantitiesNamed } from './quantities.js';
import { inputsOf, lossOf, SpecModel, targetOf } from './spec-model.js';

/** Every quantity, products included. */
export const ALL_QUANTITIES = [
  'batchGrad',
  'batchL2Grad',
  'sumGradSquared',
  'variance',
  'diagGgnExact',
  'batchDiagGgnExact',
  'sqrtGgnExact',
  'diagGgnMc',
  'batchDiagGgnMc',
  'sqrtGgnMc',
  'kfac',
  'kflr',
  'diagHessian',
  'batchDiagHessian',
  'hessianVectorProduct',
  'ggnVectorProduct',
] as const;

/**
 * All quantities of a net on a backend, from one backward pass, against their definitions.
 *
 * @param computed what the backend gets in place of the net, of the same structure
 */
export async function errorsAgainstTruth(
  spec: NetSpec,
  backend: Backend,
  random: () => number,
  options: BackwardOptions = {},
  computed = spec,
): Promise<readonly QuantityError[]> {
  const samples = 2;
  const labels = randomLabels(spec, random, samples);
  const expected = truth(spec, { labels });
  const compared: Compared[] = [];
  const check = (
    quantity: string,
    parameter: string,
    got: HostArray,
    expected: SpecArray,
    scale: SpecArray = expected,
  ): void => {
    compared.push({ quantity, parameter, got, expected, scale });
  };
  /** √(E[g²] E[(g − ḡ)²]): gradients are rounded before what they have in common is taken off. */
  const deviationScale = (parameter: string): SpecArray => {
    const { shape, data } = expected.variance[parameter] as SpecArray;
    const squares = (expected.sumGradSquared[parameter] as SpecArray).data;
    const N = (expected.batchGrad[parameter] as SpecArray).shape[0] as number;
    return { shape, data: data.map((x, i) => Math.sqrt((x * (squares[i] as number)) / N)) };
  };
  const model = new SpecModel(computed);
  const net = await extend(model, lossOf(spec), { backend });
  try {
    const asked = quantitiesNamed(ALL_QUANTITIES, { samples, labels });
    const step = await net.backward(inputsOf(computed) as never, targetOf(computed), asked as never, {
      onMissing: 'skip',
      ...options,
    });
    const found = step as unknown as Record<string, Results<unknown>>;
    const skipped = new Set(step.skipped.map(({ quantity, parameter }) => `${quantity} ${parameter ?? ''}`));
    const { loss } = evaluate(spec);
    check('loss', '', { shape: [], data: await step.loss.data() }, { shape: [], data: [loss] });
    for (const quantity of ['gradient', ...ALL_QUANTITIES] as const) {
      if (quantity === 'hessianVectorProduct' || quantity === 'ggnVectorProduct') {
        const vectors = Object.fromEntries(
          Object.entries(spec.parameters)
            .filter(([name, { trainable }]) => trainable && name in expected.gradient)
            .map(([name, { shape, data }]) => [name, { shape, data: data.map(() => 2 * random() - 1) }] as const),
        );
        if (Object.keys(vectors).length === 0) continue;
        const wanted = (quantity === 'hessianVectorProduct' ? hessianVectorProduct : ggnVectorProduct)(spec, vectors);
        const multiply = found[quantity] as unknown as (v: ReadonlyMap<Parameter, unknown>) => Promise<Results<Tensor>>;
        const got = await (
          await multiply(new Map(Object.entries(vectors).map(([name, x]) => [model.tensors.get(name) as Parameter, x])))
        ).data();
        for (const [name, x] of Object.entries(wanted))
          check(quantity, name, got.get(model.tensors.get(name) as Parameter), x);
        continue;
      }
      const name = quantity.replace('Ggn', 'GGN').replace(/Mc$/, 'MC');
      if (skipped.has(`${name} `)) continue;
      let wanted: Readonly<Record<string, unknown>>;
      try {
        wanted = expected[quantity] as Readonly<Record<string, unknown>>;
      } catch (error) {
        if (error instanceof RangeError)
          throw new Error(`${quantity} is undefined by its definition (${error.message}) but was not refused`);
        throw error;
      }
      const results = await (found[quantity] as Results<Tensor>).data();
      for (const [parameter, x] of Object.entries(wanted)) {
        const tensor = model.tensors.get(parameter) as Parameter;
        let got: unknown;
        try {
          got = results.get(tensor);
        } catch (error) {
          if (
            error instanceof GradPackError &&
            error.code === 'GRADPACK-NO-RESULT' &&
            step.skipped.some((s) => s.quantity === name && s.parameter !== undefined)
          )
            continue;
          throw error;
        }
        const factors = x as { readonly output?: SpecArray; readonly input?: SpecArray };
        if (factors.output) {
          const { output, input } = got as { readonly output: HostArray; readonly input?: HostArray };
          check(quantity, `${parameter} output`, output, factors.output);
          if (factors.input) check(quantity, `${parameter} input`, input as HostArray, factors.input);
        } else if (quantity === 'variance')
          check(quantity, parameter, got as HostArray, x as SpecArray, deviationScale(parameter));
        else check(quantity, parameter, got as HostArray, x as SpecArray);
      }
    }
    step.dispose();
  } finally {
    await net.dispose();
  }
  return relativeErrors(compared);
}
