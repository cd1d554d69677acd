import { batchGrad, cpu, crossEntropyLoss, extend, kfac, linear, relu, sequential } from 'gradpack';

const model = sequential(linear(3, 4), relu(), linear(4, 2));
const net = await extend(model, crossEntropyLoss(), { backend: cpu(), seed: 1 });
const step = await net.backward(
  [
    [1, 2, 3],
    [0, 1, 0],
  ],
  [0, 1],
  { each: batchGrad(), curvature: kfac() },
);
console.log(JSON.stringify([step.each.get('0.weight').shape, step.curvature.get('0.weight').output.shape]));
