import {
  type Backend,
  extend,
  type HostArray,
  type Parameter,
  type Quantities,
  type Results,
  type RuleSet,
  type Tensor,
} from '@gradpack/core';
import type { SpecArray } from '@gradpack/testkit';
import { type Compared, type QuantityError, relativeErrors } from '../support/compare.js';
import { definitions, type Factors } from './definitions.js';
import { lossOf, type Subject, slopesOf } from './slopes.js';

const SAMPLES = 2;

/** Labels for the sampled quantities of a net with D outputs: any will do. */
function labelsOf({ loss, target }: Subject, D: number): HostArray {
  const shape = [SAMPLES, ...target.shape];
  const length = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    data: Float64Array.from({ length }, (_, i) => (loss === 'mse' ? 2 * Math.sin(3 * i + 1) : (7 * i + 1) % D)),
  };
}

/** Quantities of a net against their definitions, by nothing but its forward pass: one error per quantity and parameter. */
export async function errorsAgainstDifferences(
  subject: Subject,
  backend: Backend,
  quantities: (sampled: { readonly samples: number; readonly labels: HostArray }) => Quantities,
  registry?: RuleSet<never>,
): Promise<readonly QuantityError[]> {
  const net = await extend(subject.model, lossOf(subject), { backend, ...(registry && { registry }) });
  const vectors: Record<string, SpecArray> = {};
  for (const [name, { shape }] of net.parameters) {
    const length = shape.reduce((a, b) => a * b, 1);
    vectors[name] = { shape, data: Array.from({ length }, (_, i) => Math.cos(5 * i + name.length)) };
  }
  const slopes = await slopesOf(subject, backend, vectors);
  const labels = labelsOf(subject, slopes.D);
  const expected = definitions(subject, slopes, labels);
  const asked = quantities({ samples: SAMPLES, labels });
  const step = await net.backward(subject.inputs as never, subject.target, asked as never, { mode: 'eval' });
  const found = step as unknown as Readonly<Record<string, Results<Tensor>>>;
  const compared: Compared[] = [];
  const check = async (name: string, quantity: string): Promise<void> => {
    const value = found[name] as unknown;
    const multiply = value as (v: unknown) => Promise<Results<Tensor>>;
    const names = new Set(slopes.parameters.map((p) => p.name));
    const moving = Object.fromEntries(Object.entries(vectors).filter(([vector]) => names.has(vector)));
    const results = await (typeof value === 'function' ? await multiply(moving) : (value as Results<Tensor>)).data();
    for (const [parameter, wanted] of Object.entries(expected[quantity]!)) {
      const of = net.parameters.get(parameter) as Parameter;
      const got = results.get(of) as HostArray | { readonly output: HostArray };
      const output = 'output' in got ? got.output : got;
      const data = 'output' in wanted ? (wanted as Factors).output : (wanted as SpecArray);
      compared.push({ quantity, parameter, got: output, expected: data });
    }
  };
  await check('gradient', 'gradient');
  for (const [name, { name: quantity }] of Object.entries(asked)) await check(name, quantity);
  step.dispose();
  await net.dispose();
  return relativeErrors(compared);
}
