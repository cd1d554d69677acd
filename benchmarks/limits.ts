import { totalmem } from 'node:os';
import type { Data } from './data.js';
import type { Problem } from './problem.js';
import type { QuantityName } from './quantities.js';

/** About how many gradients a step costs: exact curvature sends one column for each class through the network. */
export function expectedGradients({ classes }: Problem, quantity: QuantityName): number {
  return EXACT.has(quantity) ? classes : 1;
}

const EXACT: ReadonlySet<QuantityName> = new Set([
  'DiagGGNExact',
  'BatchDiagGGNExact',
  'SqrtGGNExact',
  'KFLR',
  'DiagHessian',
  'BatchDiagHessian',
]);

/** Whether the results, which each implementation holds and some hold twice while they are compared, fit into memory. */
export function fits({ classes }: Problem, quantity: QuantityName, { weights, labels }: Data): boolean {
  const floats = Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);
  const columns = quantity === 'SqrtGGNExact' ? classes : 1;
  const samples = PER_SAMPLE.has(quantity) ? labels.data.length : 1;
  return COPIES * 4 * floats * columns * samples < totalmem();
}

const COPIES = 10;

const PER_SAMPLE: ReadonlySet<QuantityName> = new Set([
  'BatchGrad',
  'FirstOrderAll',
  'SqrtGGNMC',
  'BatchDiagGGNMC',
  'SqrtGGNExact',
  'BatchDiagGGNExact',
  'BatchDiagHessian',
]);
