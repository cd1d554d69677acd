import {
  compileExpression,
  expression as e,
  type MatrixView,
  type Operand,
  type OuterRequest,
  type OuterSpec,
  type OuterTerm,
} from '@gradpack/core';
import { FEW_INVOCATIONS, type Lowering } from '../lowering/dispatch.js';
import { operandAt, piecesOf, type WalkedOperand } from '../lowering/loops.js';
import { blocksOf, dispatchRows, type RequestExtents } from './outer-rows.wgsl.js';
import { reduceStrided, sumPieces } from './reduce.wgsl.js';

/*
 * outer: reductions of G[v,n] = Σ_terms (∂y_n/∂θ)ᵀ a[v,n] (kernel-call.ts), a request a time: `outer-rows.wgsl.ts` writes the shader,
 * here is how its work is cut.
 *
 * Sums over few entries and many samples are cut into pieces of samples, written to a temporary [pieces, rows, θ] and added in order;
 * `norm` writes sums over some entries to a temporary [rows, lanes], likewise. Per-sample results larger than a binding are cut by row.
 */
export function outer(
  lowering: Lowering,
  spec: OuterSpec,
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  for (const request of spec.requests) lowerRequest(lowering, spec, request, reads, operandAt(writes, request.into));
}

function extentsOf({ N }: OuterSpec, { from, to, strides, samples }: OuterRequest): RequestExtents {
  const [keepsV, keepsN] = [strides.v !== 0, strides.n !== 0];
  const [V, count] = [to - from, samples?.count ?? N];
  return { keepsV, keepsN, V, samples: count, rowsV: keepsV ? V : 1, rowsN: keepsN ? count : 1 };
}

/** The view whose tiles cover all entries of θ. */
function tileView({ terms, size }: OuterSpec): MatrixView | undefined {
  for (const term of terms)
    if (term.kind === 'matrix' && term.view.G * term.view.O * term.view.C * term.view.K === size) return term.view;
  return undefined;
}

const longest = (terms: readonly OuterTerm[]): number =>
  Math.max(1, ...terms.map((term) => (term.kind === 'given' ? 1 : term.a.T)));

function lowerRequest(
  lowering: Lowering,
  spec: OuterSpec,
  request: OuterRequest,
  reads: readonly Operand[],
  y: Operand,
): void {
  const { size, terms } = spec;
  const { form, strides, accumulate } = request;
  const extents = extentsOf(spec, request);
  const { keepsN, V, samples, rowsV, rowsN } = extents;
  const view = tileView(spec);
  const blocks = blocksOf(view, size);
  if (form === 'norm') {
    const lanes = Math.min(blocks, 256);
    const partials = lowering.temporary(rowsV * rowsN * lanes);
    const piece = { first: [0, 0], shape: [rowsV, rowsN] };
    dispatchRows(lowering, spec, request, reads, {
      extents,
      view,
      piece,
      pieces: 1,
      lanes,
      y: partials,
      to: { v: rowsN * lanes, n: lanes, piece: 0 },
      accumulate: false,
    });
    reduceStrided(lowering, {
      kept: [rowsV, rowsN],
      reduced: [lanes],
      lanes: [{ operand: partials, dtype: 'float32', strides: [rowsN * lanes, lanes, 1] }],
      to: [strides.v, strides.n],
      y,
      operation: 'sum',
      expression: compileExpression(e.input(0)),
      scale: 1,
      accumulate,
    });
    return;
  }
  const work = V * samples * longest(terms);
  const pieces =
    keepsN || form === 'centred'
      ? 1
      : Math.max(1, Math.min(Math.ceil(FEW_INVOCATIONS / (blocks * rowsV)), samples, Math.ceil(work / 64)));
  if (pieces > 1) {
    const partials = lowering.temporary(pieces * rowsV * size);
    const piece = { first: [0, 0], shape: [rowsV, rowsN] };
    dispatchRows(lowering, spec, request, reads, {
      extents,
      view,
      piece,
      pieces,
      lanes: blocks,
      y: partials,
      to: { v: size, n: 0, piece: rowsV * size },
      accumulate: false,
    });
    sumPieces(lowering, partials, pieces, [rowsV, size], [strides.v, 1], y, 1, accumulate);
    return;
  }
  const walked: readonly WalkedOperand[] = [
    { operand: y, strides: [strides.v, strides.n], run: size },
    ...givenOperands(spec, request, extents, reads),
  ];
  for (const piece of piecesOf(lowering, [rowsV, rowsN], walked))
    dispatchRows(lowering, spec, request, reads, {
      extents,
      view,
      piece,
      pieces: 1,
      lanes: blocks,
      y,
      to: { ...strides, piece: 0 },
      accumulate,
    });
}

/** How tensors [V, N, *θ] that terms read are walked, row by row of the result. */
function givenOperands(
  { N, size, terms }: OuterSpec,
  { cross = [], samples }: OuterRequest,
  { keepsV, keepsN, V }: RequestExtents,
  reads: readonly Operand[],
): readonly WalkedOperand[] {
  return [...terms, ...cross].flatMap((term) => {
    if (term.kind !== 'given') return [];
    const perSample = keepsN && !samples;
    const run = size + (keepsV ? 0 : (V - 1) * term.strides.v) + (perSample ? 0 : (N - 1) * term.strides.n);
    return [
      {
        operand: operandAt(reads, term.read),
        strides: [keepsV ? term.strides.v : 0, perSample ? term.strides.n : 0],
        run,
      },
    ];
  });
}
