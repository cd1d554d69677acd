import type { MatrixUse, Parameter, ShiftUse } from '@gradpack/core';

/** The uses of a matrix layer whose bias is a parameter, absent (`undefined`), or either. */
export type MatrixUses<Bias extends Parameter | undefined> = [Bias] extends [undefined]
  ? MatrixUse
  : MatrixUse | ShiftUse;
