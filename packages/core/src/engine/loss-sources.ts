import type { TensorRef } from '../backend/tensor-ref.js';
import type { Loss, TargetSpec } from '../loss/loss.js';
import type { AtLoss, Signal } from '../signal/signal.js';
import type { Source } from '../signal/source.js';
import type { HostArray } from '../tensor/host-array.js';
import type { Graph } from './graph.js';
import { checkIds, requireShape } from './host-input.js';
import { scaleSign } from './missing.js';

/** The sources at the net's output, one per distinct signal, the gradient first. */
export function lossSources(
  signals: readonly Signal[],
  graph: Graph,
  loss: Loss,
  at: Omit<AtLoss, 'labels'>,
): ReadonlyMap<string, Source> {
  const { k, N, output } = graph;
  const chosen = new Map<string, Signal>();
  for (const signal of signals) {
    const before = chosen.get(signal.key);
    // the full factor serves those who asked for the reduced one
    if (!before || (before.form === 'reduced' && signal.form === 'full')) chosen.set(signal.key, signal);
  }
  const sources = new Map<string, Source>();
  const ordered = [...chosen.values()].sort((a, b) => Number(b.key === 'gradient') - Number(a.key === 'gradient'));
  for (const signal of ordered) {
    const { labels } = signal;
    if (labels) requireLabels(labels, loss.target(output.shape));
    const given: TensorRef | undefined = labels && k.constant(labels.data, labels.shape);
    const negative = signal.key !== 'gradient' && scaleSign(loss) < 0;
    sources.set(signal.key, {
      V: signal.columns(loss, output.shape),
      make(range) {
        const columns = signal.make({ ...at, ...(given && { labels: given }) }, range);
        const weight = negative ? k.full([range.to - range.from, N], -1) : undefined;
        return { start: new Map([[output, columns]]), ...(weight && { weight }) };
      },
    });
  }
  return sources;
}

/** Labels that stand for drawn ones are targets, once per sample of the quantity. Throws GRADPACK-SHAPE, GRADPACK-DTYPE, GRADPACK-INDEX. */
function requireLabels(labels: HostArray, { shape, bound }: TargetSpec): void {
  const given = { shape: labels.shape, dtype: 'host', host: labels } as const;
  requireShape(given, [labels.shape[0] ?? 1, ...shape], 'the set of labels', 'net.backward');
  if (bound !== undefined) checkIds(given, bound, 'labels', 'net.backward');
}
