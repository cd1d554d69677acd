import { cpu } from '@gradpack/backend-cpu';
import { extend, registry } from '@gradpack/core';
import { batchGrad, firstOrder } from '@gradpack/extensions-firstorder';
import { diagHessian, kfac, kflr, secondOrder } from '@gradpack/extensions-secondorder';
import { layers, linear, sequential } from '@gradpack/layers';
import { mseLoss } from '@gradpack/losses';
import { fourier, fourierRules } from 'acme-fourier';
import { thirdMoment } from 'acme-third-moment';

const backend = cpu({ precision: 'float64' });
const model = sequential(linear(3, 4), fourier(4), linear(4, 2));
const [x, y] = [
  [
    [1, 2, 3],
    [0, 1, 0],
  ],
  [
    [1, 0],
    [0, 1],
  ],
];
const plain = await extend(model, mseLoss(), { backend });
// @ts-expect-error: no rule for kfac of acme/fourier.acme/frequency
const refused = await plain.backward(x, y, { curvature: kfac() }).catch(({ code }: { code: string }) => code);
const hessian = await plain.backward(x, y, { h: diagHessian() }).catch(({ code }: { code: string }) => code);

const table = registry(layers, firstOrder, secondOrder, fourierRules);
const net = await extend(model, mseLoss(), { backend, registry: table });
// @ts-expect-error: the package brings a rule for kfac alone
const exact = await net.backward(x, y, { curvature: kflr() }).catch(({ code }: { code: string }) => code);
const step = await net.backward(x, y, { each: batchGrad(), third: thirdMoment(), curvature: kfac() });
const read = await step.read();
const frequency = model.layers[1].frequency;
const each = read.each.get(frequency).data;
console.log(
  JSON.stringify({
    codes: [refused, hessian, exact],
    third: [...read.third.get(frequency).data],
    cubes: [0, 1, 2, 3].map((i) => (each[i] as number) ** 3 + (each[i + 4] as number) ** 3),
    factor: read.curvature.get(frequency).output.shape,
  }),
);
