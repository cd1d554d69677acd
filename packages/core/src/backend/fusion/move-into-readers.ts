import type { PendingCall } from '../pending-call.js';
import type { Place, RecordedBuffer } from '../tensor-ref.js';
import { callOf, compose, type Elementwise, elementwiseOf, isCopy } from './elementwise.js';
import { readAtSource } from './strided-reader.js';
import type { Uses } from './uses.js';

/**
 * Sources that live longer for it may have this many times the elements of the result that is dropped, and as many more as do not
 * matter: some copies are made to end the life of a large buffer.
 */
const EXTENDED = 2;
const SMALL = 2 ** 14;

/** Computes what call `at` writes in the calls that read it, and drops the call, where all of that can be done. */
export function moveIntoReaders(uses: Uses, at: number, isPrivate: (buffer: RecordedBuffer) => boolean): void {
  const call = uses.at(at);
  if ((call?.kernel !== 'map' && call?.kernel !== 'copy') || call.effect || call.spec.accumulate) return;
  const producer = elementwiseOf(call) as Elementwise;
  const { buffer } = call.writes[0] as Place;
  if (!isPrivate(buffer) || uses.writers(buffer).length !== 1) return;
  const readers = uses.readers(buffer);
  if (readers.length !== 1 && !movesRuns(producer)) return;
  if (livesLonger(uses, call, isPrivate) > EXTENDED * buffer.length + SMALL) return;
  const moved: (readonly [number, PendingCall])[] = [];
  for (const reader of readers) {
    if (call.reads.some((source) => uses.isWrittenBetween(source.buffer, at, reader))) return;
    const made = readingThrough(uses.at(reader) as PendingCall, buffer, producer);
    if (!made) return;
    moved.push([reader, made]);
  }
  for (const [reader, made] of moved) uses.replace(reader, made);
  uses.replace(at, undefined);
}

/** Elements of the call's private sources that would have to live until its last reader runs, but end before it now. */
function livesLonger(
  uses: Uses,
  { reads, writes }: PendingCall,
  isPrivate: (buffer: RecordedBuffer) => boolean,
): number {
  const lastOf = (buffer: RecordedBuffer): number => Math.max(...uses.readers(buffer), ...uses.writers(buffer));
  const end = lastOf((writes[0] as Place).buffer);
  const extended = new Set(
    reads.map(({ buffer }) => buffer).filter((source) => isPrivate(source) && lastOf(source) < end),
  );
  return [...extended].reduce((sum, { length }) => sum + length, 0);
}

/** The reader without `buffer`. */
function readingThrough(reader: PendingCall, buffer: RecordedBuffer, producer: Elementwise): PendingCall | undefined {
  const e = elementwiseOf(reader);
  const reads = (place: Place): boolean => place.buffer === buffer;
  if (e) {
    const composed = repeated(
      e,
      ({ inputs }) => inputs.findIndex(({ place }) => reads(place)),
      (one, index) => compose(one, index, producer),
    );
    return composed && callOf(composed);
  }
  return isCopy(producer)
    ? repeated(
        reader,
        (call) => call.reads.findIndex(reads),
        (call, index) => readAtSource(call, index, producer),
      )
    : undefined;
}

/** Changes what `find` finds until it finds nothing. */
function repeated<T>(start: T, find: (x: T) => number, change: (x: T, index: number) => T | undefined): T | undefined {
  let x: T | undefined = start;
  for (let index = find(start); x && index >= 0; index = x ? find(x) : -1) x = change(x, index);
  return x;
}

/** Whether a copy moves whole runs, so that reading its source is as fast. */
function movesRuns(copy: Elementwise): boolean {
  const { shape, to } = copy;
  const from = isCopy(copy) ? copy.inputs[0]?.strides : undefined;
  const inner = shape.findIndex((extent, axis) => extent > 1 && to[axis] === 1);
  return from !== undefined && (inner < 0 || Math.abs(from[inner] as number) <= 1);
}
