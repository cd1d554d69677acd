import type { FactorSpec, OuterTerm } from '../kernel-call.js';
import type { PendingCall } from '../pending-call.js';
import type { Place } from '../tensor-ref.js';
import { type Elementwise, type StridedInput, through, written } from './elementwise.js';
import { locate, type Walk } from './locate.js';

/** A product or reduction of G that reads operand `index` where `copy` found it. Undefined where the operand takes no such strides. */
export function readAtSource(call: PendingCall, index: number, copy: Elementwise): PendingCall | undefined {
  const source = copy.inputs[0] as StridedInput;
  const { offset } = call.reads[index] as Place;
  let place: Place | undefined;
  const moved = (walk: Omit<Walk, 'offset'>): readonly number[] | undefined => {
    const at = locate({ ...walk, offset }, written(copy));
    if (!at || at.parts.length !== walk.shape.length) return undefined;
    const found = through(source, at);
    place = found.place;
    return found.strides;
  };
  const respecified = withOperand(call, index, moved);
  const found = place;
  return found && respecified && { ...respecified, reads: call.reads.map((read, i) => (i === index ? found : read)) };
}

type Moved = (walk: Omit<Walk, 'offset'>) => readonly number[] | undefined;

function withOperand(call: PendingCall, index: number, moved: Moved): PendingCall | undefined {
  switch (call.kernel) {
    case 'gemm': {
      const { batch, M, N, K, a, b } = call.spec;
      if (index === 0) {
        const [at, m, k] = moved({ shape: [batch, M, K], strides: [a.b, a.m, a.k] }) ?? [];
        if (at === undefined || m === undefined || k === undefined) return undefined;
        return { ...call, spec: { ...call.spec, a: { b: at, m, k } } };
      }
      if (index !== 1) return undefined;
      const [at, k, n] = moved({ shape: [batch, K, N], strides: [b.b, b.k, b.n] }) ?? [];
      if (at === undefined || k === undefined || n === undefined) return undefined;
      return { ...call, spec: { ...call.spec, b: { b: at, k, n } } };
    }
    case 'gram': {
      const factors = call.spec.factors.map((factor) => (factor.read === index ? movedFactor(factor, moved) : factor));
      return allDefined(factors) ? { ...call, spec: { ...call.spec, factors } } : undefined;
    }
    case 'outer': {
      const terms = call.spec.terms.map((term) => movedTerm(term, index, moved));
      return allDefined(terms) ? { ...call, spec: { ...call.spec, terms } } : undefined;
    }
    default:
      return undefined;
  }
}

function movedTerm(term: OuterTerm, index: number, moved: Moved): OuterTerm | undefined {
  if (term.kind === 'given') return term;
  const a = term.a.read === index ? movedFactor(term.a, moved) : term.a;
  if (!a) return undefined;
  if (!('u' in term)) return { ...term, a };
  const u = term.u.read === index ? movedFactor(term.u, moved) : term.u;
  return u && { ...term, a, u };
}

/** A dense factor elsewhere; what was contiguous stays so, since factors are read many times. */
function movedFactor(factor: FactorSpec, moved: Moved): FactorSpec | undefined {
  if (factor.form === 'unfolded') return undefined;
  const { V, N, G, F, T, strides } = factor;
  const shape = [V, N, G, F, T];
  const old = [strides.v, strides.n, strides.g, strides.f, strides.t];
  const found = moved({ shape, strides: old });
  if (!found || old.some((stride, axis) => stride === 1 && shape[axis] !== 1 && found[axis] !== 1)) return undefined;
  const [v, n, g, f, t] = found as [number, number, number, number, number];
  return { ...factor, strides: { v, n, g, f, t } };
}

function allDefined<T>(values: readonly (T | undefined)[]): values is readonly T[] {
  return values.every((value) => value !== undefined);
}
