import type { PendingCall } from '../pending-call.js';
import type { RecordedBuffer } from '../tensor-ref.js';
import { takeBias } from './bias.js';
import { dropFill } from './fill.js';
import { moveIntoReaders } from './move-into-readers.js';
import { shareGram } from './share.js';
import { Uses } from './uses.js';

/**
 * Fewer calls that write the same numbers, in the same order of operations:
 *
 * - a bias that a product is added to becomes the product's own operand
 * - an elementwise result with one reader is computed where it is read, by a `map`, a `copy` or a `reduce`
 * - what was only copied is read at its source, by every kernel that takes strides
 * - a Gram matrix that was computed before, by one call or as a sum of several, is copied
 * - a `fill` that is overwritten whole is dropped
 *
 * A call stays where a source of it is written before the reader runs, where somebody outside sees its result, where several calls
 * write the buffer, and where large sources would have to live much longer for it.
 *
 * @param isPrivate whether nothing but these calls sees a buffer
 */
export function fuse(
  recorded: readonly PendingCall[],
  isPrivate: (buffer: RecordedBuffer) => boolean,
): readonly PendingCall[] {
  const uses = new Uses(recorded);
  recorded.forEach((_, at) => {
    takeBias(uses, at);
    shareGram(uses, at);
  });
  recorded.forEach((_, at) => {
    moveIntoReaders(uses, at, isPrivate);
    dropFill(uses, at);
  });
  return uses.calls();
}
