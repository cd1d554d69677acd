import {
  ALL_CARRIES,
  type Carry,
  featuresLast,
  GradPackError,
  type Layer,
  LINEAR_TRAITS,
  type LookupUse,
  layer,
  type Parameter,
  type Shape,
  showShape,
  sizeOf,
  type TensorRef,
} from '@gradpack/core';
import { wholeNumber } from './options.js';
import { sharedOrNew } from './shared-parameter.js';

export interface EmbeddingOptions {
  /** A row that is read but never trained, and begins as zeros; negative counts from the back. */
  readonly paddingIdx?: number;
  /** A parameter [numEmbeddings, embeddingDim] of another layer to share. */
  readonly weight?: Parameter;
}

export interface Embedding extends Layer<'embedding', LookupUse, Carry> {
  /** [numEmbeddings, embeddingDim] */
  readonly weight: Parameter;
}

/**
 * `y[n, t, :] = weight[id[n, t], :]`: int32 ids [N, ...positions] in [0, numEmbeddings) to [N, ...positions, embeddingDim]. The
 * weight begins standard normal.
 *
 * Throws GRADPACK-OPTION for sizes or a padding index that make no sense; a step throws GRADPACK-INDEX for ids out of range.
 *
 * @example
 * const model = sequential(embedding(1000, 16, { paddingIdx: 0 }), flatten(), linear(16 * 12, 2));
 */
export function embedding(
  numEmbeddings: number,
  embeddingDim: number,
  { paddingIdx, weight: shared }: EmbeddingOptions = {},
): Embedding {
  const words = wholeNumber('embedding', 'numEmbeddings', numEmbeddings, 1);
  const H = wholeNumber('embedding', 'embeddingDim', embeddingDim, 1);
  const skip = paddingIdx !== undefined && paddingIdx < 0 ? paddingIdx + words : paddingIdx;
  if (skip !== undefined && !(Number.isInteger(skip) && skip >= 0 && skip < words))
    throw new GradPackError('GRADPACK-OPTION', 'paddingIdx is not a row of the embedding', {
      where: 'embedding',
      expected: `a whole number from ${-words} to ${words - 1}`,
      got: paddingIdx,
      fix: 'leave paddingIdx out, or give the id that stands for padding',
    });
  const weight = sharedOrNew(
    shared,
    [words, H],
    { kind: 'normal', deviation: 1, ...(skip !== undefined && { zeroRow: skip }) },
    'embedding',
  );
  return layer<Embedding>({
    kind: 'embedding',
    weight,
    uses: ['lookup'],
    carries: ALL_CARRIES,
    accepts: 'int32',
    idBound: words,
    traits: () => LINEAR_TRAITS,
    outputShapes: (input: Shape) => [[...requireBatch(input), H]],
    linearize([input], k, context) {
      const ids = input as TensorRef;
      const [N = 1, ...positions] = ids.shape;
      // the skipped row is read in the output, but does not move
      const output = k.gatherRows(k.reshape(context.valueOf(weight), [1, words, H]), ids);
      const rows = k.reshape(ids, [N, sizeOf(positions)]);
      const use: LookupUse = { kind: 'lookup', parameter: weight, rows, ...(skip !== undefined && { skip }) };
      return {
        outputs: [k.reshape(output, [N, ...positions, H])],
        uses: [use],
        pull: ([columns], want) => ({
          inputs: [undefined],
          terms: columns && want.uses[0] ? [{ use, a: featuresLast(columns, H) }] : [],
        }),
        push(_tangents, parameters) {
          const moved = parameters.get(weight);
          return [moved && k.gatherRows(k.reshape(moved, [sizeOf(moved.shape) / (words * H), words, H]), ids, skip)];
        },
      };
    },
  });
}

function requireBatch(input: Shape): Shape {
  if (input.length > 0) return input;
  throw new GradPackError('GRADPACK-SHAPE', 'embedding got a single id', {
    where: 'embedding',
    expected: '[N, ...positions]',
    got: showShape(input),
    fix: 'put the batch in front: [1] for one id',
  });
}
