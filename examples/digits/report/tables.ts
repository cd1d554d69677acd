import Table from 'cli-table3';
import type { ParameterReport } from '../curvature.js';
import type { Spectrum } from '../spectrum.js';

/** Gradient and curvature diagonals, a row per parameter. */
export function gradientTable(parameters: readonly ParameterReport[]): string {
  return table(
    ['parameter', 'shape', '‖gradient‖', 'rms ‖g_n‖', 'noise', 'tr GGN', 'sampled', 'tr Hessian'],
    parameters.map((p) => [
      p.name,
      p.shape.join('×'),
      ...[p.gradientNorm, p.individualNorm, p.noise, p.ggnTrace, p.sampledGgnTrace, p.hessianTrace].map(digits),
    ]),
  );
}

/** What the columns mean. */
export const LEGEND = `g_n    gradient of image n; noise is the root of their summed variance
tr     trace of the Gauss-Newton matrix, the same from ten sampled labels, and of the Hessian
KFLR   exact Kronecker factors, output ⊗ input; KFAC from one sampled label
rank   eigenvalues above 1e-7 of the largest; condition: the largest over the smallest of these`;

/** Kronecker factors, a row per parameter. */
export function curvatureTable(parameters: readonly ParameterReport[]): string {
  return table(
    ['parameter', 'factors', 'KFLR rank', 'condition', 'KFAC rank', 'condition'],
    parameters.map(({ name, kflr, kfac }) => [
      name,
      join(kflr, ({ size }) => `${size}×${size}`),
      join(kflr, ({ rank }) => String(rank)),
      digits(condition(kflr)),
      join(kfac, ({ rank }) => String(rank)),
      digits(condition(kfac)),
    ]),
  );
}

const join = (spectra: readonly Spectrum[], show: (spectrum: Spectrum) => string): string =>
  spectra.map(show).join(' ⊗ ');

/** Of the Kronecker product, on the space where no factor vanishes. */
const condition = (spectra: readonly Spectrum[]): number =>
  spectra.reduce((product, one) => product * one.condition, 1);

const digits = (number: number): string =>
  Math.abs(number) >= 1e5 ? number.toExponential(1) : String(Number(number.toPrecision(3)));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  made.push(...rows.map((row) => [...row]));
  return made.toString();
}
