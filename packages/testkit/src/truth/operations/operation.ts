import type { SpecNode } from '../../net-spec.js';
import type { Variables } from '../forward.js';
import { type HyperDuals, reshaped } from '../hyper-dual.js';
import { at, elements } from '../positions.js';
import { add, dropout, mul, scale } from './arithmetic.js';
import { batchNorm2d } from './batch-norm.js';
import { convolution } from './convolution.js';
import { CURVES, elementwise } from './elementwise.js';
import { embedding } from './embedding.js';
import { linear } from './linear.js';
import { avgPool2d, maxPool2d } from './pooling.js';
import { concat, permute, slice, zeroPad2d } from './rearrangement.js';

export function operation(node: SpecNode, inputs: readonly HyperDuals[], variables: Variables): HyperDuals {
  const x = at(inputs, 0);
  const samples = at(x.shape, 0);
  switch (node.op) {
    case 'linear': {
      const { weight, bias } = node.parameters;
      const w = variables.parameter(weight);
      return linear(x, w, variables.shifts(weight, at(w.shape, 0), bias));
    }
    case 'conv1d':
    case 'conv2d':
    case 'conv3d': {
      const { weight, bias } = node.parameters;
      const w = variables.parameter(weight);
      return convolution(node, x, w, variables.shifts(weight, at(w.shape, 0), bias));
    }
    case 'embedding': {
      const { weight } = node.parameters;
      const w = variables.parameter(weight);
      return embedding(x, w, variables.shifts(weight, at(w.shape, 1)), node.paddingIdx);
    }
    case 'batchNorm2d':
      return batchNorm2d(
        node,
        x,
        variables.parameter(node.parameters.weight),
        variables.parameter(node.parameters.bias),
      );
    case 'maxPool2d':
      return maxPool2d(node, x);
    case 'avgPool2d':
      return avgPool2d(node, x);
    case 'zeroPad2d':
      return zeroPad2d(x, node.padding);
    case 'relu':
    case 'sigmoid':
    case 'tanh':
    case 'identity':
      return elementwise(CURVES[node.op], x);
    case 'flatten':
      return reshaped(x, [samples, elements(x.shape.slice(1))]);
    case 'reshape':
      return reshaped(x, [samples, ...node.shape]);
    case 'dropout':
      return dropout(x, node.p, node.mask?.data);
    case 'add':
      return add(inputs);
    case 'mul':
      return mul(inputs);
    case 'scale':
      return scale(x, node.factor);
    case 'concat':
      return concat(inputs, node.axis);
    case 'permute':
      return permute(x, node.axes);
    case 'slice':
      return slice(x, node);
    default:
      throw new TypeError(`unknown operation ${JSON.stringify(node satisfies never)}`);
  }
}
