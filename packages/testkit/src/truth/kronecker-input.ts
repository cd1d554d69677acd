import type { NetSpec, SpecArray } from '../net-spec.js';
import { parameterOf } from './direction.js';
import { type Values, valueNamed } from './forward.js';
import type { HyperDuals } from './hyper-dual.js';
import type { ConvolutionNode } from './node-of.js';
import { convolutionWindows } from './operations/convolution-windows.js';
import { at, elements } from './positions.js';
import type { Use } from './uses.js';

/** A = (1/N) Σ_{n, uses, t} u uᵀ with u the unfolded input of a position: [I·K, I·K], or [groups, I·K, I·K]. */
export function matrixInputFactor(
  net: NetSpec,
  values: Values,
  weight: string,
  uses: readonly Use[],
  groups: number,
): SpecArray {
  const [, inputsPerGroup = 0, ...kernel] = parameterOf(net, weight).shape;
  const size = inputsPerGroup * elements(kernel);
  const data = Array<number>(groups * size * size).fill(0);
  for (const use of uses) {
    if (use.kind !== 'matrix') continue;
    const x = valueNamed(values, at(use.node.inputs, 0));
    const vectors = use.node.op === 'linear' ? lastAxisVectors(x) : unfoldedVectors(use.node, x, kernel);
    for (const vector of vectors) {
      for (let group = 0; group < groups; group++) {
        const u = vector.slice(group * size, (group + 1) * size);
        for (const [i, ui] of u.entries()) {
          for (const [j, uj] of u.entries()) {
            (data[(group * size + i) * size + j] as number) += (ui * uj) / samplesOf(net);
          }
        }
      }
    }
  }
  return { shape: groups === 1 ? [size, size] : [groups, size, size], data };
}

/** How often a sample reads each word, on average: the diagonal of A for one-hot inputs, [words]. Padding is not counted. */
export function lookupInputFactor(net: NetSpec, values: Values, words: number, uses: readonly Use[]): SpecArray {
  const data = Array<number>(words).fill(0);
  for (const use of uses) {
    if (use.kind !== 'lookup') continue;
    for (const id of valueNamed(values, at(use.node.inputs, 0)).value) {
      if (id !== use.node.paddingIdx) (data[id] as number) += 1 / samplesOf(net);
    }
  }
  return { shape: [words], data };
}

function samplesOf(net: NetSpec): number {
  return at(net.loss.target.shape, 0);
}

function lastAxisVectors(x: HyperDuals): number[][] {
  const inputs = at(x.shape, x.shape.length - 1);
  return Array.from({ length: x.value.length / inputs }, (_, row) => [
    ...x.value.slice(row * inputs, (row + 1) * inputs),
  ]);
}

/** One vector for each sample and output position, in the order channel, kernel offset. */
function unfoldedVectors(node: ConvolutionNode, x: HyperDuals, kernel: readonly number[]): number[][] {
  const [samples = 0, channels = 0, ...spatial] = x.shape;
  const { sources } = convolutionWindows(node, spatial, kernel);
  const positions = elements(spatial);
  const vectors: number[][] = [];
  for (let n = 0; n < samples; n++) {
    for (const window of sources) {
      const vector: number[] = [];
      for (let c = 0; c < channels; c++) {
        const plane = (n * channels + c) * positions;
        for (const source of window) vector.push(source === undefined ? 0 : at(x.value, plane + source));
      }
      vectors.push(vector);
    }
  }
  return vectors;
}
