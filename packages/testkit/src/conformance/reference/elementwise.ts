import { evaluate } from './expression.js';
import { dot, get, indicesOf, put, type ReferenceKernel, set } from './place.js';

export const fill: ReferenceKernel<'fill'> = (spec, _reads, writes) => {
  for (let i = 0; i < spec.length; i++) set(writes, 0, i, spec.value);
};

export const copy: ReferenceKernel<'copy'> = (spec, reads, writes) => {
  for (const i of indicesOf(spec.shape))
    put(writes, 0, dot(i, spec.to), get(reads, 0, dot(i, spec.from)), spec.accumulate);
};

export const map: ReferenceKernel<'map'> = (spec, reads, writes) => {
  for (const i of indicesOf(spec.shape)) {
    const input = (lane: number): number => get(reads, lane, dot(i, spec.inputs[lane]?.strides ?? []));
    put(writes, 0, dot(i, spec.to), evaluate(spec.expression, input, i), spec.accumulate);
  }
};

export const reduce: ReferenceKernel<'reduce'> = (spec, reads, writes) => {
  let at = 0;
  for (const i of indicesOf(spec.kept)) {
    let total = spec.operation === 'sum' ? 0 : Number.NEGATIVE_INFINITY;
    for (const j of indicesOf(spec.reduced)) {
      const index = [...i, ...j];
      const input = (lane: number): number => get(reads, lane, dot(index, spec.inputs[lane]?.strides ?? []));
      const value = evaluate(spec.expression, input, index);
      total = spec.operation === 'sum' ? total + value : Math.max(total, value);
    }
    put(writes, 0, at++, spec.operation === 'sum' ? spec.scale * total : total, spec.accumulate);
  }
};
