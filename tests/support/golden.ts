import { type Backend, extend, type HostArray, type Results, type Tensor } from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { sqrtGGNExact } from '@gradpack/extensions-secondorder';
import type { NetSpec, SpecArray } from '@gradpack/testkit';
import { type Compared, type QuantityError, relativeErrors } from './compare.js';
import { type Draws, quantitiesNamed } from './quantities.js';
import { inputsOf, lossOf, SpecModel, targetOf } from './spec-model.js';

type Factors = { readonly output: SpecArray; readonly input?: SpecArray };
type PerParameter = Readonly<Record<string, SpecArray | Factors>>;
interface Product {
  readonly vectors: Readonly<Record<string, SpecArray>>;
  readonly products: Readonly<Record<string, SpecArray>>;
}

export interface Golden {
  readonly name: string;
  readonly source: 'backpack' | 'torch';
  readonly net: NetSpec;
  readonly draws?: Draws;
  readonly expected: { readonly loss: number; readonly output: SpecArray } & Readonly<Record<string, unknown>>;
}

/** Every number of a golden case against a backend, one relative error per quantity and parameter. */
export async function goldenErrors(
  { net: spec, expected, draws }: Golden,
  backend: Backend,
): Promise<readonly QuantityError[]> {
  const model = new SpecModel(spec);
  const net = await extend(model, lossOf(spec), { backend });
  const compared: Compared[] = [];
  const check = (quantity: string, parameter: string, got: HostArray, expected: SpecArray): void => {
    compared.push({ quantity, parameter, got, expected });
  };
  try {
    const output = await net.forward(inputsOf(spec) as never, { mode: 'train' });
    check('output', '', { shape: output.shape, data: await output.data() }, expected.output);
    output.dispose();
    const step = await net.backward(
      inputsOf(spec) as never,
      targetOf(spec),
      quantitiesNamed(Object.keys(expected), draws) as never,
    );
    const found = step as unknown as Record<string, Results<Tensor>>;
    check('loss', '', { shape: [], data: await step.loss.data() }, { shape: [], data: [expected.loss] });
    for (const [quantity, wanted] of Object.entries(expected)) {
      if (quantity === 'loss' || quantity === 'output') continue;
      if (quantity.endsWith('Subsampled')) {
        const { samples, results } = wanted as {
          samples: readonly number[];
          results: Readonly<Record<string, SpecArray>>;
        };
        const rows =
          quantity === 'batchGradSubsampled' ? batchGrad({ rows: samples }) : sqrtGGNExact({ rows: samples });
        const part = await net.backward(inputsOf(spec) as never, targetOf(spec), { rows });
        const got = await part.rows.data();
        for (const [name, x] of Object.entries(results))
          check(quantity, name, got.get(model.tensors.get(name) as never), x);
        part.dispose();
        continue;
      }
      if (quantity.endsWith('VectorProduct')) {
        const { vectors, products } = wanted as Product;
        const multiply = found[quantity] as unknown as (v: ReadonlyMap<unknown, unknown>) => Promise<Results<Tensor>>;
        const moved = new Map(Object.entries(vectors).map(([name, x]) => [model.tensors.get(name), x]));
        const got = await (await multiply(moved)).data();
        for (const [name, x] of Object.entries(products))
          check(quantity, name, got.get(model.tensors.get(name) as never), x);
        continue;
      }
      const results = await (found[quantity] as Results<Tensor>).data();
      for (const [name, x] of Object.entries(wanted as PerParameter)) {
        const got = results.get(model.tensors.get(name) as never) as
          | HostArray
          | { output: HostArray; input?: HostArray };
        if ('output' in x) {
          const factors = got as { output: HostArray; input?: HostArray };
          check(quantity, `${name} output`, factors.output, x.output);
          if (x.input) check(quantity, `${name} input`, factors.input as HostArray, x.input);
        } else check(quantity, name, got as HostArray, x as SpecArray);
      }
    }
    step.dispose();
  } finally {
    await net.dispose();
  }
  return relativeErrors(compared);
}
