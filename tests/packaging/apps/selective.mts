import { cpu } from '@gradpack/backend-cpu';
import { extend, type HostArray, type Results, type Tensor } from '@gradpack/core';
import { batchGrad, batchL2Grad } from '@gradpack/extensions-firstorder';
import { linear, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';

const model = sequential(linear(3, 4), relu(), linear(4, 2));
const net = await extend(model, crossEntropyLoss(), { backend: cpu({ precision: 'float64' }), seed: 1 });
const step = await net.backward(
  [
    [1, 2, 3],
    [0, 1, 0],
  ],
  [0, 1],
  { each: batchGrad(), norms: batchL2Grad() },
);
const each: Results<Tensor> = step.each;
const weight: Tensor = each.get(model.layers[0].weight);
const { norms } = await step.read();
const squared: HostArray = norms.get('2.bias');
// @ts-expect-error: relu has no weight
model.layers[1].weight;
// @ts-expect-error: not asked for
step.curvature;

console.log(JSON.stringify({ shape: weight.shape, norms: [...squared.data] }));
