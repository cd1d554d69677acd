import { sizeOf } from '@gradpack/core';
import { BLOCK, expressionBlocks } from './expression-block.js';
import { lanesOf, load, store } from './lanes.js';
import type { CpuKernel } from './place.js';
import { operand } from './place.js';

export const fill: CpuKernel<'fill'> = ({ length, value }, _reads, writes) => {
  const y = operand(writes, 0);
  y.data.fill(value, y.at, y.at + length);
};

const copied = new Float64Array(BLOCK);

export const copy: CpuKernel<'copy'> = ({ shape, from, to, accumulate }, reads, writes) => {
  const [x, y] = [operand(reads, 0), operand(writes, 0)];
  const [source, target] = [lanesOf(shape, from), lanesOf(shape, to)];
  const size = sizeOf(shape);
  const contiguous =
    source.strides.length === 1 && source.strides[0] === 1 && target.strides.length === 1 && target.strides[0] === 1;
  if (contiguous && !accumulate) {
    y.data.set(x.data.subarray(x.at, x.at + size), y.at);
    return;
  }
  for (let start = 0; start < size; start += BLOCK) {
    const count = Math.min(BLOCK, size - start);
    load(source, x.data, x.at, start, count, copied);
    store(target, y.data, y.at, start, count, copied, accumulate);
  }
};

export const map: CpuKernel<'map'> = ({ shape, inputs, to, expression, accumulate }, reads, writes) => {
  const y = operand(writes, 0);
  const target = lanesOf(shape, to);
  const evaluate = expressionBlocks(expression, shape, inputs, reads);
  const size = sizeOf(shape);
  for (let start = 0; start < size; start += BLOCK) {
    const count = Math.min(BLOCK, size - start);
    store(target, y.data, y.at, start, count, evaluate(start, count), accumulate);
  }
};
