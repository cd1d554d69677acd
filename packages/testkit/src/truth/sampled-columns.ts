import type { NetSpec, SpecArray } from '../net-spec.js';
import type { Columns } from './columns.js';
import { forward, outputOf } from './forward.js';
import { type HyperDuals, zeros } from './hyper-dual.js';
import { lossFactor } from './loss.js';
import { at, elements, flatAt } from './positions.js';
import { softmaxAt } from './softmax.js';

/**
 * BackPACK's sampled square root of the loss Hessian from M given labels: the gradients of −log p(label | output) over √M.
 * Cross-entropy: class indices [M, N, …positions]. MSE: standard normals z [M, N, …features], the label being output + z/√2.
 */
export function sampledColumns(net: NetSpec, labels: SpecArray): Columns {
  const output = outputOf(net, forward(net));
  const count = at(labels.shape, 0);
  const expected = [count, ...net.loss.target.shape];
  if (`${labels.shape}` !== `${expected}`)
    throw new RangeError(`labels of shape [${expected}] expected, got [${labels.shape}]`);
  const factor = lossFactor(net);
  const data = net.loss.kind === 'mse' ? squaredErrorColumns(labels) : crossEntropyColumns(output, labels, count);
  return { count, sign: factor < 0 ? -1 : 1, data: data.map((s) => s * Math.sqrt(Math.abs(factor) / count)) };
}

/** 2 (label − output) */
function squaredErrorColumns(labels: SpecArray): Float64Array {
  return Float64Array.from(labels.data, (z) => 2 * (z / Math.SQRT2));
}

/** softmax − onehot(label) */
function crossEntropyColumns(logits: HyperDuals, labels: SpecArray, count: number): Float64Array {
  const [samples = 0, classes = 0, ...axes] = logits.shape;
  const positions = elements(axes);
  const shape = [count, samples, classes, positions];
  const { value: data } = zeros(shape);
  for (let n = 0; n < samples; n++) {
    for (let t = 0; t < positions; t++) {
      for (const [c, probability] of softmaxAt(logits, n, t).entries()) {
        for (let m = 0; m < count; m++) {
          const label = at(labels.data, flatAt([m, n, t], [count, samples, positions]));
          data[flatAt([m, n, c, t], shape)] = probability - (label === c ? 1 : 0);
        }
      }
    }
  }
  return data;
}
