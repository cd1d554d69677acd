import type { LayersOf, MatrixUse, Parameter, ScaleUse, ShiftUse, UsesOf } from '@gradpack/core';
import { batchNorm2d, type Conv, conv2d, linear, relu, sequential } from '@gradpack/layers';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_ extends true>(): void => {};

const model = sequential(conv2d(1, 2, 3), relu(), sequential(linear(4, 2, { bias: false })));
const shape: Parameter = model.layers[0].bias;
void shape;
// @ts-expect-error relu has no weight
void model.layers[1].weight;
// @ts-expect-error without bias there is none
const none: Parameter = model.layers[2].layers[0].bias;
void none;

holds<Equal<LayersOf<typeof model>['kind'], 'conv2d' | 'relu' | 'linear'>>();
holds<Equal<UsesOf<(typeof model.layers)[0]>, MatrixUse | ShiftUse>>();
holds<Equal<UsesOf<(typeof model.layers)[2]['layers'][0]>, MatrixUse>>();
holds<Equal<UsesOf<(typeof model.layers)[1]>, never>>();

const chosen = (bias: boolean) => conv2d(1, 2, 3, { bias });
holds<Equal<ReturnType<typeof chosen>, Conv<'conv2d', Parameter | undefined>>>();
const norm = batchNorm2d(3);
const plain = batchNorm2d(3, { affine: false });
holds<Equal<UsesOf<typeof norm>, ScaleUse | ShiftUse>>();
holds<Equal<UsesOf<typeof plain>, never>>();
