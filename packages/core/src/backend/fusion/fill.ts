import type { Place } from '../tensor-ref.js';
import { type Elementwise, elementwiseOf, written } from './elementwise.js';
import { covers } from './locate.js';
import type { Uses } from './uses.js';

/** Drops a fill whose every element is overwritten by the next call that touches the buffer. */
export function dropFill(uses: Uses, at: number): void {
  const fill = uses.at(at);
  if (fill?.kernel !== 'fill' || fill.effect) return;
  const { buffer, offset } = fill.writes[0] as Place;
  const next = [...uses.readers(buffer), ...uses.writers(buffer)]
    .filter((place) => place > at)
    .sort((a, b) => a - b)[0];
  const over = next === undefined ? undefined : uses.at(next);
  if (over?.kernel !== 'map' && over?.kernel !== 'copy') return;
  if (over.spec.accumulate || over.reads.some((read) => read.buffer === buffer)) return;
  if (covers(written(elementwiseOf(over) as Elementwise), offset, fill.spec.length)) uses.replace(at, undefined);
}
