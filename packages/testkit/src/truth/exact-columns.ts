import type { NetSpec } from '../net-spec.js';
import type { Columns } from './columns.js';
import { forward, outputOf } from './forward.js';
import { type HyperDuals, zeros } from './hyper-dual.js';
import { lossFactor } from './loss.js';
import { at, elements, flatAt } from './positions.js';
import { softmaxAt } from './softmax.js';

/** BackPACK's exact square root of the loss Hessian. */
export function exactColumns(net: NetSpec): Columns {
  const output = outputOf(net, forward(net));
  const factor = lossFactor(net);
  const columns = net.loss.kind === 'mse' ? squaredErrorColumns(output) : crossEntropyColumns(output);
  return { ...columns, sign: factor < 0 ? -1 : 1, data: columns.data.map((s) => s * Math.sqrt(Math.abs(factor))) };
}

type Unscaled = Pick<Columns, 'count' | 'data'>;

/** S[v, n, f] = √2 δ_vf */
function squaredErrorColumns(output: HyperDuals): Unscaled {
  const samples = at(output.shape, 0);
  const count = elements(output.shape.slice(1));
  const shape = [count, samples, count];
  const { value: data } = zeros(shape);
  for (let n = 0; n < samples; n++) {
    for (let v = 0; v < count; v++) data[flatAt([v, n, v], shape)] = Math.SQRT2;
  }
  return { count, data };
}

/** C·T columns, one for each class c and position t, that are zero at other positions: S[(c, t), n, d, t] = τ_d (δ_cd − τ_c τ_d), τ = √softmax. */
function crossEntropyColumns(logits: HyperDuals): Unscaled {
  const [samples = 0, classes = 0, ...axes] = logits.shape;
  const positions = elements(axes);
  const shape = [classes, positions, samples, classes, positions];
  const { value: data } = zeros(shape);
  for (let n = 0; n < samples; n++) {
    for (let t = 0; t < positions; t++) {
      const tau = softmaxAt(logits, n, t).map(Math.sqrt);
      for (const [c, tauC] of tau.entries()) {
        for (const [d, tauD] of tau.entries()) {
          data[flatAt([c, t, n, d, t], shape)] = tauD * ((c === d ? 1 : 0) - tauC * tauD);
        }
      }
    }
  }
  return { count: classes * positions, data };
}
