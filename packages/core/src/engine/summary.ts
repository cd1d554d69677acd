import type { Names } from '../module/names.js';
import type { Quantity } from '../quantity/quantity.js';
import { type Shape, showShape, sizeOf } from '../tensor/shape.js';
import type { Plan } from './plan.js';
import type { Trace } from './trace.js';

/** One call of a layer in `Summary`. */
export interface SummaryLayer {
  readonly name: string;
  readonly kind: string;
  readonly output: Shape;
  /** Number of entries of the layer's own parameters. */
  readonly parameters: number;
}

/** What a net is and what a step would take. Prints as a table. */
export interface Summary {
  readonly layers: readonly SummaryLayer[];
  readonly parameters: number;
  readonly trainable: number;
  /** Of one step with these quantities: working memory, results, and what products keep. */
  readonly bytes: { readonly scratch: number; readonly results: number; readonly kept: number };
  /** By the caller's name. */
  readonly quantities: Readonly<
    Record<string, { readonly quantity: string; readonly supported: boolean; readonly reasons: readonly string[] }>
  >;
  toString(): string;
}

export function summarize(
  { tape }: Trace,
  names: Names,
  plan: Plan,
  quantities: Readonly<Record<string, Quantity>>,
): Summary {
  const layers = tape.nodes.map(({ layer, outputs }): SummaryLayer => {
    const own = [...names.parameters].filter(([parameter]) => Object.values(layer).includes(parameter));
    return {
      name: names.layers.get(layer) ?? '',
      kind: layer.kind,
      output: outputs[0]?.shape ?? [],
      parameters: own.reduce((sum, [parameter]) => sum + sizeOf(parameter.shape), 0),
    };
  });
  const count = (trainable: boolean): number =>
    [...names.parameters.keys()].reduce((sum, p) => sum + (!trainable || p.trainable ? sizeOf(p.shape) : 0), 0);
  const { scratch, results, kept } = plan.recorded.program.bytes;
  const supported = Object.fromEntries(
    Object.entries(quantities).map(([name, quantity]) => {
      const reasons = plan.missing.filter((pair) => pair.quantity === quantity.name).map((pair) => pair.reason);
      return [name, { quantity: quantity.name, supported: reasons.length === 0, reasons }];
    }),
  );
  const summary = {
    layers,
    parameters: count(false),
    trainable: count(true),
    bytes: { scratch, results, kept },
    quantities: supported,
  };
  return { ...summary, toString: () => print(summary) };
}

function print({ layers, parameters, trainable, bytes, quantities }: Omit<Summary, 'toString'>): string {
  const rows = [
    ['layer', 'kind', 'output', 'parameters'],
    ...layers.map((l) => [l.name, l.kind, showShape(l.output), String(l.parameters)]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const table = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 3 ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
      )
      .join('  '),
  );
  const pairs = Object.entries(quantities).map(
    ([name, q]) =>
      `${name}: ${q.quantity} ${q.supported ? 'is supported' : `is not supported: ${q.reasons.join('; ')}`}`,
  );
  return [
    ...table,
    `${parameters} parameters, ${trainable} trainable`,
    `bytes: ${bytes.scratch} working, ${bytes.results} results, ${bytes.kept} kept for products`,
    ...pairs,
  ].join('\n');
}
