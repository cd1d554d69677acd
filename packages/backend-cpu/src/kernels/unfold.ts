import type { TypedArray, Window } from '@gradpack/core';
import { positionTable, sizeOf } from '@gradpack/core';

/** `to[at + (c·K + k)·row + t − t0] = from[channel c at p(k, t)]` or 0, for t in [t0, t1): one sample's share of an unfolded matrix. */
export function unfold(
  window: Window,
  channels: number,
  from: TypedArray,
  fromAt: number,
  channelStride: number,
  t0: number,
  t1: number,
  to: Float64Array,
  at: number,
  row: number,
): void {
  const table = positionTable(window);
  const [K, T] = [sizeOf(window.kernel), sizeOf(window.output)];
  for (let c = 0; c < channels; c++) {
    const channel = fromAt + c * channelStride;
    for (let k = 0; k < K; k++) {
      let target = at + (c * K + k) * row;
      const end = k * T + t1;
      for (let i = k * T + t0; i < end; i++) {
        const p = table[i] as number;
        to[target++] = p < 0 ? 0 : (from[channel + p] as number);
      }
    }
  }
}

/** The adjoint: `to[channel c at p(k, t)] += from[at + (c·K + k)·row + t − t0]`. */
export function fold(
  window: Window,
  channels: number,
  from: Float64Array,
  at: number,
  row: number,
  t0: number,
  t1: number,
  to: TypedArray,
  toAt: number,
  channelStride: number,
): void {
  const table = positionTable(window);
  const [K, T] = [sizeOf(window.kernel), sizeOf(window.output)];
  for (let c = 0; c < channels; c++) {
    const channel = toAt + c * channelStride;
    for (let k = 0; k < K; k++) {
      let source = at + (c * K + k) * row;
      const end = k * T + t1;
      for (let i = k * T + t0; i < end; i++) {
        const p = table[i] as number;
        const value = from[source++] as number;
        if (p >= 0) to[channel + p] = (to[channel + p] as number) + value;
      }
    }
  }
}

/** Whether output t reads position t alone: a 1×1 kernel of stride 1, or a linear layer. */
export function isPointwise(window: Window): boolean {
  const table = positionTable(window);
  return sizeOf(window.kernel) === 1 && table.length === sizeOf(window.input) && table.every((p, t) => p === t);
}
