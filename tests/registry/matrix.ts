import { type Registry, registry } from '@gradpack/core';
import { firstOrder } from '@gradpack/extensions-firstorder';
import { type SecondOrder, secondOrder } from '@gradpack/extensions-secondorder';
import { layers } from '@gradpack/layers';

type BuiltInLayer = (typeof layers)['layers'][number];
type BuiltInQuantity = (typeof firstOrder)['quantities'][number] | SecondOrder;

/** What GradPack's own packages register. */
export const builtIn: Registry<BuiltInLayer, BuiltInQuantity, never> = registry(layers, firstOrder, secondOrder);

/** The page `docs/guide/support-matrix.md`. */
export function supportMatrix(): string {
  const quantities = [...new Set(builtIn.pairs().map(({ quantity }) => quantity))];
  const reasons: string[] = [];
  const cell = (kind: BuiltInLayer['kind'], uses: readonly string[], quantity: BuiltInQuantity['name']): string => {
    const support = builtIn.lookup(kind, quantity);
    if (support.supported) return uses.length === 0 ? '→' : support.by === 'rules' ? '✓ rule' : '✓';
    if (!reasons.includes(support.reason)) reasons.push(support.reason);
    return `– (${reasons.indexOf(support.reason) + 1})`;
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '---',
    'order: 90',
    '---',
    '# Support matrix',
    '',
    '<!-- Made from the registry by tests/registry/matrix.ts: npm test -- --project across matrix -u -->',
    '',
    'What `registry(layers, firstOrder, secondOrder)` knows of every pair of a layer and a quantity; each cell is a test.',
    '',
    '- **✓** computed for the parameters of the layer, from the uses in the second column; **✓ rule** by code for each kind of use',
    '- **→** the layer has no parameters and lets the quantity through',
    ...reasons.map((reason, i) => `- **– (${i + 1})** ${reason}`),
    '',
    'Batch normalisation is meant in `eval` mode. What depends on the whole net (a parameter used as two kinds, a loss without the',
    'needed factor) is checked by the plan, before anything runs.',
    '',
    row(['layer', 'uses', ...quantities.map((name) => `\`${name}\``)]),
    row(['---', '---', ...quantities.map(() => ':-:')]),
    ...layers.layers.map(({ kind, uses }) =>
      row([`\`${kind}\``, uses.join(', '), ...quantities.map((quantity) => cell(kind, uses, quantity))]),
    ),
    '',
  ].join('\n');
}
