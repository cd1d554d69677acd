import { GradPackError } from '../errors/gradpack-error.js';
import type { Carry, Layer } from '../module/layer.js';
import type { Value } from '../module/value.js';
import { showShape, stridesOf } from '../tensor/shape.js';
import { featureAxis } from './axis.js';
import { linearMap } from './linear-map.js';

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

const sliceLayer = ({ axis, start, step, count }: Cut): Layer<'slice', never, Carry> =>
  linearMap({
    kind: 'slice',
    key: `slice(${axis},${start},${step},${count})`,
    outputShape: (input) => input.map((extent, a) => (a === axis ? count : extent)),
    at([, ...features], k) {
      // of columns [V, N, ...features], where the sliced axis is axis + 1
      const reach = (V: number, N: number) => {
        const strides = stridesOf([V, N, ...features]);
        const along = strides[axis + 1] as number;
        return {
          strides: strides.map((stride, a) => (a === axis + 1 ? stride * step : stride)),
          offset: start * along,
        };
      };
      return {
        apply(x) {
          const [V = 1, N = 1] = x.shape;
          const { strides, offset } = reach(V, N);
          return k.gatherStrided(
            x,
            [V, N, ...features.map((extent, a) => (a + 1 === axis ? count : extent))],
            strides,
            offset,
          );
        },
        adjoint(y) {
          const [V = 1, N = 1] = y.shape;
          const { strides, offset } = reach(V, N);
          const target = k.full([V, N, ...features], 0);
          k.scatterStrided(y, target, strides, offset, false);
          return target;
        },
      };
    },
  });

/**
 * Entries `start, start + step, …` before `stop` along `axis` (not the batch), with Python's reading of negative and large indices.
 *
 * Throws GRADPACK-OPTION for the batch axis or a step below 1, GRADPACK-SHAPE where nothing would be left.
 *
 * @example
 * class EvenRows extends Module {
 *   forward(x: Value) { return slice(x, 2, 0, -1, 2); }   // x[:, :, 0:-1:2]
 * }
 */
export function slice(x: Value, axis: number, start: number, stop: number, step = 1): Value {
  const along = featureAxis(axis, x.shape, 'slice');
  if (!Number.isInteger(step) || step < 1 || !Number.isInteger(start) || !(Number.isInteger(stop) || stop === Infinity))
    throw new GradPackError('GRADPACK-OPTION', 'slice takes whole numbers and a step of 1 or more', {
      where: 'slice',
      expected: 'integers start and stop (or stop = Infinity), and an integer step ≥ 1',
      got: `start ${start}, stop ${stop}, step ${step}`,
      fix: 'use a positive step; negative start and stop count from the end',
    });
  const extent = x.shape[along] as number;
  const clamp = (index: number): number => Math.min(extent, Math.max(0, index < 0 ? index + extent : index));
  const from = clamp(start);
  const count = Math.ceil((clamp(stop) - from) / step);
  if (count < 1)
    throw new GradPackError('GRADPACK-SHAPE', 'slice leaves nothing', {
      where: 'slice',
      expected: `a range with entries on axis ${along} of ${showShape(x.shape)}`,
      got: `${start}:${stop}:${step}`,
      fix: `choose start < stop within 0 to ${extent}`,
    });
  return x.tape.call(sliceLayer({ axis: along, start: from, step, count }), x)[0] as Value;
}
