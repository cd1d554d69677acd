import { sizeOf, stridesOf } from '../../tensor/shape.js';
import type { PendingCall } from '../pending-call.js';
import type { Place } from '../tensor-ref.js';
import { elementwiseOf, isCopy, through, written } from './elementwise.js';
import { locate, type Walk } from './locate.js';
import type { Uses } from './uses.js';

type Product = Extract<PendingCall, { readonly kernel: 'gemm' | 'convolve' }>;

/** A product that adds to a broadcast bias begins from the bias. */
export function takeBias(uses: Uses, at: number): void {
  const product = uses.at(at);
  if ((product?.kernel !== 'gemm' && product?.kernel !== 'convolve') || !product.spec.accumulate) return;
  const { buffer } = product.writes[0] as Place;
  const before = uses.writers(buffer).findLast((writer) => writer < at);
  const spread = before === undefined ? undefined : uses.at(before);
  if (before === undefined || !spread || spread.effect) return;
  const isRead = uses.readers(buffer).some((reader) => reader > before && reader <= at);
  if (isRead || spread.reads.some((source) => uses.isWrittenBetween(source.buffer, before, at))) return;
  const made = withBias(product, spread);
  if (!made) return;
  uses.replace(at, made);
  uses.replace(before, undefined);
}

/** A product that begins from a bias, in place of one that is added to where `spread` has broadcast it. Undefined where that is something else. */
function withBias(product: Product, spread: PendingCall): Product | undefined {
  const from = elementwiseOf(spread);
  const [source] = from?.inputs ?? [];
  if (!from || !source || !isCopy(from) || from.call.spec.accumulate) return undefined;
  const y = walkOf(product);
  const at = locate(y, written(from));
  // an axis of extent 1 has a part of its own, so that parts are y's axes
  if (!at || at.parts.length !== y.shape.length || sizeOf(from.shape) !== sizeOf(y.shape)) return undefined;
  const { place, strides } = through(source, at);
  const isOnly = (axis: number): boolean =>
    strides.every((stride, a) => y.shape[a] === 1 || stride === (a === axis ? 1 : 0));
  const reads = [...product.reads, place];
  if (product.kernel === 'convolve')
    return isOnly(2) ? { ...product, reads, spec: { ...product.spec, accumulate: false, bias: true } } : undefined;
  const bias = isOnly(2) ? 'n' : isOnly(1) ? 'm' : undefined;
  return bias && { ...product, reads, spec: { ...product.spec, accumulate: false, bias } };
}

/** What a product writes: [batch, M, N], or [V, N, G·O, T]. */
function walkOf(product: Product): Walk {
  const { offset } = product.writes[0] as Place;
  if (product.kernel === 'gemm') {
    const { batch, M, N, c } = product.spec;
    return { shape: [batch, M, N], strides: [c.b, c.m, c.n], offset };
  }
  const { V, N, view, window } = product.spec;
  const shape = [V, N, view.G * view.O, sizeOf(window.output)];
  return { shape, strides: stridesOf(shape), offset };
}
