import { cpu } from '@gradpack/backend-cpu';
import {
  extend,
  type HostArray,
  type NumberArray,
  type ProductFunction,
  type Results,
  type Tensor,
} from '@gradpack/core';
import { batchGrad, batchL2Grad } from '@gradpack/extensions-firstorder';
import { ggnVectorProduct, type KroneckerFactors, kfac } from '@gradpack/extensions-secondorder';
import { linear, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { typed } from './typed.js';

const model = sequential(linear(2, 3), relu(), linear(3, 2, { bias: false }));
const net = await extend(model, crossEntropyLoss(), { backend: cpu() });
const [x, y] = [[[1, 2]], [1]];

// Results have the type of their quantity, under the caller's own key; one quantity may be asked for twice.
const step = await net.backward(x, y, {
  perSample: batchGrad({ rows: [0] }),
  curvature: kfac({ samples: 3 }),
  again: kfac(),
  multiply: ggnVectorProduct(),
});
typed<Results<Tensor>>()(step.perSample);
typed<Results<KroneckerFactors>>()(step.curvature);
typed<Results<KroneckerFactors>>()(step.again);
typed<ProductFunction>()(step.multiply);
typed<Tensor>()(step.loss);
typed<Results<Tensor>>()(step.gradient);
typed<Tensor>()(step.perSample.get(model.layers[0].weight));
typed<Tensor | undefined>()(step.curvature.get('0.weight').input);
typed<Results<Tensor>>()(await step.multiply({ '0.weight': [[1]] }));
// @ts-expect-error: not asked for
step.norms;

// Everything on the host.
const read = await step.read();
typed<number>()(read.loss);
typed<Results<HostArray>>()(read.gradient);
typed<Results<HostArray>>()(read.perSample);
typed<HostArray>()(read.perSample.get('0.weight'));
typed<HostArray>()(read.curvature.get('0.weight').output);
typed<HostArray | undefined>()(read.curvature.get('0.weight').input);
typed<HostArray>()((await step.perSample.data()).get('0.weight'));
// @ts-expect-error: not asked for
read.norms;
const taken = await step.take();
typed<number>()(taken.loss);
typed<HostArray>()(taken.perSample.get('0.weight'));
typed<HostArray | undefined>()((await step.curvature.take()).get('0.weight').input);
typed<NumberArray>()(await step.loss.take());
// @ts-expect-error: a product is a function and cannot be read
read.multiply;

// Without quantities there is loss and gradient.
const plain = await net.backward(x, y);
typed<Results<Tensor>>()(plain.gradient);
// @ts-expect-error: not asked for
plain.perSample;

// The step's own names are taken.
// @ts-expect-error: the name loss is taken
await net.backward(x, y, { loss: batchGrad() });
// @ts-expect-error: the name gradient is taken
await net.backward(x, y, { gradient: batchGrad() });
// @ts-expect-error: the name read is taken
await net.backward(x, y, { read: batchGrad() });
// @ts-expect-error: the name take is taken
await net.backward(x, y, { take: batchGrad() });
// @ts-expect-error: the name dispose is taken
await net.backward(x, y, { dispose: batchGrad() });
// @ts-expect-error: the name done is taken
await net.backward(x, y, { done: batchGrad() });
// @ts-expect-error: the name skipped is taken
await net.backward(x, y, { skipped: batchGrad() });

// Unknown options.
// @ts-expect-error: kfac has samples, not mcSamples
kfac({ mcSamples: 3 });
// @ts-expect-error: no such option
batchL2Grad({ samples: [0] });
// @ts-expect-error: no such option of a step
await net.backward(x, y, {}, { onMising: 'skip' });
// @ts-expect-error: not a quantity
await net.backward(x, y, { norms: 'batchL2Grad' });
// @ts-expect-error: the factory was not called
await net.backward(x, y, { norms: batchL2Grad });

// The tuple of layers is kept.
// @ts-expect-error: relu has no weight
model.layers[1].weight;
// @ts-expect-error: there is no fourth layer
model.layers[3];
typed<undefined>()(model.layers[2].bias);
// @ts-expect-error: this layer has no bias
step.perSample.get(model.layers[2].bias);
