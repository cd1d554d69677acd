import type { QuantityName } from './quantities.js';
import type { Row } from './results.js';
import { markdown, medianOf, multiple } from './table.js';

/** What 3c3d was to cost at most when its gradient took 0.7 of PyTorch's: in multiples of that own gradient. */
const AIMS: Partial<Record<QuantityName, number>> = {
  BatchGrad: 1.2,
  BatchL2Grad: 1.1,
  SumGradSquared: 1.1,
  Variance: 1.15,
  FirstOrderAll: 1.3,
  DiagGGNMC: 1.7,
  KFAC: 1.9,
  DiagGGNExact: 6.5,
  KFLR: 4.3,
};
const GRADIENT = 0.7;

/** The aims beside what was measured on each machine, both in multiples of the own gradient and of PyTorch's. */
export function aimsTable(machines: readonly { readonly name: string; readonly rows: readonly Row[] }[]): string {
  const rows = machines.map(({ name, rows }) => ({ name, rows: rows.filter(({ problem }) => problem === '3c3d') }));
  const own = (of: readonly Row[], quantity: string): Row | undefined =>
    of.find((row) => row.quantity === quantity && row.implementation === 'gradpack/native');
  const head = [
    'quantity',
    'aim, × own',
    ...rows.map(({ name }) => `${name}, × own`),
    "aim, × torch's",
    ...rows.map(({ name }) => `${name}, × torch's`),
  ];
  const line = (quantity: string, aim: number): string[] => [
    quantity,
    String(aim),
    ...rows.map((machine) => multiple(own(machine.rows, quantity)?.medianMs, own(machine.rows, quantity)?.gradientMs)),
    multiple(aim * GRADIENT, 1),
    ...rows.map((machine) =>
      multiple(medianOf(machine.rows, quantity, 'gradpack/native'), own(machine.rows, quantity)?.torchGradientMs),
    ),
  ];
  const body = [line('gradient', 1), ...Object.entries(AIMS).map(([quantity, aim]) => line(quantity, aim))];
  return markdown([head, head.map((_, i) => (i === 0 ? ':-' : '-:')), ...body]);
}
