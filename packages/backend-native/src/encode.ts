import type {
  Dtype,
  ExpressionProgram,
  FactorSpec,
  Kernel,
  KernelCall,
  MatrixView,
  Operand,
  OuterRequest,
  OuterTerm,
  Precision,
  Program,
  Shape,
  Window,
} from '@gradpack/core';
import { DTYPES } from './numbers.js';
import { OPERATIONS } from './operations.js';

/** In the order of the table in `addon/kernels/decoders.h`. */
export const KERNELS: readonly (keyof Kernel)[] = [
  'fill',
  'copy',
  'map',
  'reduce',
  'gemm',
  'convolve',
  'convolveTransposed',
  'maxPool',
  'averagePool',
  'averagePoolTransposed',
  'gather',
  'scatterAdd',
  'gatherRows',
  'random',
  'categorical',
  'clampIndices',
  'checkFinite',
  'outer',
  'gram',
];

const MODES: readonly Window['mode'][] = ['zeros', 'reflect', 'replicate', 'circular'];
const TERMS: readonly OuterTerm['kind'][] = ['matrix', 'shift', 'scale', 'lookup', 'given'];
const FORMS: readonly OuterRequest['form'][] = ['plain', 'square', 'norm', 'cross', 'centred'];

const dtypeNumber = (dtype: Dtype): number => DTYPES.indexOf(dtype);
const flag = (x: boolean): number => (x ? 1 : 0);
const list = (numbers: readonly number[]): number[] => [numbers.length, ...numbers];
/** A number that may be missing: a flag, then the number. */
const optional = (x: number | undefined): number[] => (x === undefined ? [0] : [1, x]);

/**
 * The program as numbers, which the addon decodes and validates once. Counts precede what they count; a call is its kernel's number,
 * the number of words that follow, its operands and its spec, in the order in which the decoder of that kernel reads it.
 */
export function encodeProgram(program: Program, precision: Precision): Float64Array<ArrayBuffer> {
  const words = [dtypeNumber(precision), program.slots.length];
  for (const { dtype, length } of program.slots) words.push(dtypeNumber(dtype), length);
  words.push(program.buffers.length);
  for (const { dtype, length, slot } of program.buffers) words.push(dtypeNumber(dtype), length, slot ?? -1);
  words.push(program.calls.length);
  for (const call of program.calls) {
    const own = [...operands(call.reads), ...operands(call.writes), ...specWords(call, program)];
    words.push(KERNELS.indexOf(call.kernel), own.length);
    for (const word of own) words.push(word);
  }
  return Float64Array.from(words);
}

const operands = (places: readonly Operand[]): number[] => [
  places.length,
  ...places.flatMap(({ buffer, offset }) => [buffer, offset]),
];

function specWords(call: KernelCall, program: Program): number[] {
  switch (call.kernel) {
    case 'fill': {
      const { length, value } = call.spec;
      const target = program.buffers[call.writes[0]?.buffer ?? -1];
      return [flag(target?.dtype === 'int32'), length, value];
    }
    case 'copy': {
      const { dtype, shape, from, to, accumulate } = call.spec;
      return [dtypeNumber(dtype), ...list(shape), ...along(shape, from), ...along(shape, to), flag(accumulate)];
    }
    case 'map': {
      const { shape, inputs, to, expression, accumulate } = call.spec;
      return [
        ...list(shape),
        ...laneWords(shape, inputs),
        ...expressionWords(expression),
        ...along(shape, to),
        flag(accumulate),
      ];
    }
    case 'reduce': {
      const { kept, reduced, inputs, operation, expression, scale, accumulate } = call.spec;
      return [
        ...list(kept),
        ...list(reduced),
        ...laneWords([...kept, ...reduced], inputs),
        ...expressionWords(expression),
        flag(operation === 'max'),
        scale,
        flag(accumulate),
      ];
    }
    case 'gemm': {
      const { batch, M, N, K, a, b, c, alpha, accumulate, bias } = call.spec;
      const biasAxis = bias === undefined ? 0 : bias === 'm' ? 1 : 2;
      return [batch, M, N, K, a.b, a.m, a.k, b.b, b.k, b.n, c.b, c.m, c.n, alpha, flag(accumulate), biasAxis];
    }
    case 'convolve':
    case 'convolveTransposed': {
      const { V, N, xPerColumn, weightPerColumn, view, window, accumulate, bias = false } = call.spec;
      const size = view.G * view.O * view.C * view.K;
      return [
        V,
        N,
        flag(xPerColumn),
        flag(weightPerColumn),
        size,
        ...viewWords(view),
        ...windowWords(window),
        flag(accumulate),
        ...(call.kernel === 'convolve' ? [flag(bias)] : []),
      ];
    }
    case 'maxPool':
      return [call.spec.rows, ...windowWords(call.spec.window)];
    case 'averagePool':
    case 'averagePoolTransposed': {
      const { rows, window, divisors } = call.spec;
      return [rows, ...windowWords(window), ...divisors];
    }
    case 'gather':
    case 'scatterAdd': {
      const { V, R, S, T } = call.spec;
      return [V, R, S, T];
    }
    case 'gatherRows': {
      const { V, J, H, words, skip } = call.spec;
      return [V, J, H, words, flag(skip !== undefined), skip ?? 0];
    }
    case 'random': {
      const { stream, firstColumn, V, N, P } = call.spec;
      return [stream, firstColumn, V, N, P];
    }
    case 'categorical': {
      const { M, N, C, P } = call.spec;
      return [M, N, C, P];
    }
    case 'clampIndices': {
      const { length, bound, bit } = call.spec;
      return [length, bound, bit];
    }
    case 'checkFinite':
      return [call.spec.length, call.spec.bit];
    case 'outer': {
      const { N, size, terms, requests } = call.spec;
      return [N, size, ...termsWords(terms), requests.length, ...requests.flatMap(requestWords)];
    }
    case 'gram': {
      const { factors, positions, from, to, scale, accumulate } = call.spec;
      return [
        factors.length,
        ...factors.flatMap(factorWords),
        flag(positions === 'each'),
        from,
        to,
        scale,
        flag(accumulate),
      ];
    }
    default:
      call satisfies never;
      return [];
  }
}

/** Strides, one per axis of the shape: the decoder counts on it. */
function along(shape: Shape, strides: Shape): readonly number[] {
  return shape.map((_, axis) => strides[axis] ?? Number.NaN);
}

function laneWords(shape: Shape, inputs: readonly { readonly strides: Shape; readonly dtype: Dtype }[]): number[] {
  return [inputs.length, ...inputs.flatMap(({ strides, dtype }) => [dtypeNumber(dtype), ...along(shape, strides)])];
}

function expressionWords({ instructions, registers, result }: ExpressionProgram): number[] {
  const words = [registers, result, instructions.length];
  for (const step of instructions) {
    words.push(OPERATIONS.indexOf(step.op), step.out);
    if ('value' in step) words.push(step.value);
    else if ('x' in step) words.push(step.x);
    else if ('condition' in step) words.push(step.condition, step.a, step.b);
    else words.push(step.a, step.b);
  }
  return words;
}

function windowWords({ input, kernel, output, stride, dilation, low, transposed, mode }: Window): number[] {
  const shapes = [kernel, output, stride, dilation, low].flatMap((shape) => along(input, shape));
  return [...list(input), ...shapes, flag(transposed), MODES.indexOf(mode)];
}

function viewWords({ G, O, C, K, strides }: MatrixView): number[] {
  return [G, O, C, K, strides.g, strides.o, strides.c, strides.k];
}

function factorWords(factor: FactorSpec): number[] {
  const { read, V, N, G, F, T } = factor;
  const extents = [flag(factor.form === 'unfolded'), read, V, N, G, F, T];
  if (factor.form === 'unfolded') {
    const { v, n, g, c } = factor.strides;
    return [...extents, v, n, g, c, ...windowWords(factor.window)];
  }
  const { v, n, g, f, t } = factor.strides;
  return [...extents, v, n, g, f, t];
}

const termsWords = (terms: readonly OuterTerm[]): number[] => [terms.length, ...terms.flatMap(termWords)];

function termWords(term: OuterTerm): number[] {
  const kind = TERMS.indexOf(term.kind);
  switch (term.kind) {
    case 'matrix':
      return [kind, ...factorWords(term.a), ...factorWords(term.u), ...viewWords(term.view)];
    case 'shift':
      return [kind, ...factorWords(term.a)];
    case 'scale':
      return [kind, ...factorWords(term.a), ...factorWords(term.u)];
    case 'lookup':
      return [kind, ...factorWords(term.a), term.rows, flag(term.skip !== undefined), term.skip ?? 0];
    case 'given':
      return [kind, term.read, term.V, term.strides.v, term.strides.n];
    default:
      term satisfies never;
      return [];
  }
}

function requestWords({ form, from, to, weight, cross, samples, into, strides, accumulate }: OuterRequest): number[] {
  const rows = samples === undefined ? [0] : [1, samples.list, samples.count];
  return [
    FORMS.indexOf(form),
    from,
    to,
    ...optional(weight),
    ...rows,
    ...termsWords(cross ?? []),
    into,
    strides.v,
    strides.n,
    flag(accumulate),
  ];
}
