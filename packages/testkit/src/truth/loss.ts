import type { NetSpec } from '../net-spec.js';
import { addScaled, compose, type HyperDuals, zeros } from './hyper-dual.js';
import { at, elements } from './positions.js';

/** What each summand of the loss is multiplied by: the scale over K, K = all summands of reduction 'mean', 1 of 'sum'. */
export function lossFactor({ loss }: NetSpec): number {
  return (loss.scale ?? 1) / (loss.reduction === 'mean' ? elements(loss.target.shape) : 1);
}

/** Each sample's share of the loss, factor included: [N]. They sum to the loss. */
export function lossShares(net: NetSpec, output: HyperDuals): HyperDuals {
  switch (net.loss.kind) {
    case 'crossEntropy':
      return crossEntropy(net, output);
    case 'mse':
      return squaredError(net, output);
    default:
      throw new TypeError(`unknown loss ${JSON.stringify(net.loss.kind satisfies never)}`);
  }
}

function squaredError(net: NetSpec, output: HyperDuals): HyperDuals {
  const shares = zeros([at(output.shape, 0)]);
  const features = elements(output.shape.slice(1));
  const square = zeros([]);
  for (const [i, value] of output.value.entries()) {
    const error = value - at(net.loss.target.data, i);
    compose(square, 0, output, i, [error * error, 2 * error, 2]);
    addScaled(shares, Math.floor(i / features), square, 0, lossFactor(net));
  }
  return shares;
}

/** Per position: log Σ_c exp(f_c) − f_target, with the largest logit taken out. */
function crossEntropy(net: NetSpec, logits: HyperDuals): HyperDuals {
  const [samples = 0, classes = 0, ...axes] = logits.shape;
  const positions = elements(axes);
  const shares = zeros([samples]);
  const factor = lossFactor(net);
  for (let n = 0; n < samples; n++) {
    for (let t = 0; t < positions; t++) {
      const logit = (c: number): number => (n * classes + c) * positions + t;
      const largest = Math.max(...Array.from({ length: classes }, (_, c) => at(logits.value, logit(c))));
      const exponential = zeros([]);
      const sum = zeros([]);
      for (let c = 0; c < classes; c++) {
        const e = Math.exp(at(logits.value, logit(c)) - largest);
        compose(exponential, 0, logits, logit(c), [e, e, e]);
        addScaled(sum, 0, exponential, 0);
      }
      const total = at(sum.value, 0);
      const logSum = zeros([]);
      compose(logSum, 0, sum, 0, [Math.log(total) + largest, 1 / total, -1 / total ** 2]);
      addScaled(shares, n, logSum, 0, factor);
      addScaled(shares, n, logits, logit(at(net.loss.target.data, n * positions + t)), -factor);
    }
  }
  return shares;
}
