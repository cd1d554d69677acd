import { cpu } from '@gradpack/backend-cpu';
import { extend } from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { linear, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';

const net = await extend(sequential(linear(3, 4), relu(), linear(4, 2)), crossEntropyLoss(), { backend: cpu() });
const step = await net.backward([[1, 2, 3]], [0], { each: batchGrad() });
console.log((await step.read()).each.get('0.weight').data);
