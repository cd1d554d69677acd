import type { TensorRef } from '../backend/tensor-ref.js';
import type { Range } from '../derivatives/range.js';
import type { Term } from '../derivatives/use.js';
import type { Parameter } from '../module/parameter.js';
import type { Value } from '../module/value.js';

/** Columns that are born together. V is known before `make`, and any range can be made alone. */
export interface Source {
  readonly V: number;
  make(range: Range): Columns;
}

/** Columns of a source with their weights. */
export interface Columns {
  /** Where they start: [to − from, N, ...value] each. */
  readonly start: ReadonlyMap<Value, TensorRef>;
  /** [to − from, N]: of every squared or plain reduction of these columns; 1 when absent. */
  readonly weight?: TensorRef;
  readonly cross?: Cross;
}

/** Bilinear part of a parameter used after itself: instead of G², `2 G ⊙ P` with P from these terms, for this parameter only. */
export interface Cross {
  readonly parameter: Parameter;
  readonly terms: readonly Term[];
}
