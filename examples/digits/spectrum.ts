import type { Host, HostArray, KroneckerFactors } from 'gradpack';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Eigenvalues below this share of the largest one count as zero. */
const THRESHOLD = 1e-7;

export interface Spectrum {
  /** Number of eigenvalues above the threshold. */
  readonly rank: number;
  readonly size: number;
  /** The largest eigenvalue over the smallest above the threshold. */
  readonly condition: number;
}

/** Of each Kronecker factor, the output's first. */
export function spectraOf({ output, input }: Host<KroneckerFactors>): readonly Spectrum[] {
  return [output, ...(input ? [input] : [])].map(spectrumOf);
}

function spectrumOf({ shape, data }: HostArray): Spectrum {
  const [size = 0] = shape;
  const matrix = Matrix.from1DArray(size, size, [...data]);
  const { realEigenvalues } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const top = Math.max(...realEigenvalues);
  const counted = realEigenvalues.filter((value) => value > THRESHOLD * top);
  return { rank: counted.length, size, condition: top / Math.min(...counted) };
}
