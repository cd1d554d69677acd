import type { Backend, Storage } from '../backend/backend.js';
import type { RecordedBuffer, TensorRef } from '../backend/tensor-ref.js';
import { GradPackError } from '../errors/gradpack-error.js';
import { identity } from '../identity.js';
import type { Names } from '../module/names.js';
import type { Parameter } from '../module/parameter.js';
import type { ProductFunction } from '../quantity/product-function.js';
import type { ProductMode } from '../quantity/quantity.js';
import { type Shape, sameShape, showShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Compiled, compile } from './compiled.js';
import { type Given, given, requireFloat } from './host-input.js';
import type { LeastRecentlyUsed } from './lru.js';
import { type StepMemory, tensorOfStep } from './make-step.js';
import { giveBack, withdraw } from './memory.js';
import { entriesOf } from './per-parameter.js';
import type { Plan, ProductPlan } from './plan.js';
import { resultsOf } from './results.js';
import { Run } from './run.js';

export interface ProductParts {
  readonly backend: Backend;
  readonly names: Names;
  readonly plan: Plan;
  readonly mode: ProductMode;
  /** What the step kept. */
  readonly storages: ReadonlyMap<RecordedBuffer, Storage>;
  readonly memory: StepMemory;
  /** Programs for other vectors of the same shapes. */
  readonly programs: LeastRecentlyUsed<Compiled<ProductPlan>>;
  /** Of the parameters when the step was called. */
  readonly versions: ReadonlyMap<Parameter, number>;
  /** The step's inputs that are tensors of the user's. */
  readonly inputs: readonly Tensor[];
  find(name: string, where: string): Parameter;
  requireAlive(where: string): void;
}

/** The function that a step hands out for a product: its vectors' program runs over what the step kept. */
export function productFunction(parts: ProductParts): ProductFunction {
  const { backend, names, plan, mode, storages, versions, memory, programs, find } = parts;
  const where = mode === 'ggn' ? 'ggnVectorProduct' : 'hessianVectorProduct';
  const { trainable, frozen } = plan;
  const nameOf = (parameter: Parameter): string => names.parameters.get(parameter) ?? 'a parameter of another net';

  return async (vectors, { of } = {}) => {
    parts.requireAlive(where);
    requireFresh(where, memory, versions, nameOf);
    requireInputs(where, parts.inputs);
    const moving = tangentsOf(vectors, trainable, { backend, where, find, nameOf });
    const [first] = moving;
    const V = first?.V ?? 1;
    const single = moving.every((tangent) => tangent.single);
    const wanted = of?.map((key) => requirePart(key, trainable, { where, find, nameOf })) ?? trainable;
    const tangents = moving.map(({ parameter }) => parameter);
    const key = `${mode}:${V}:${tangents.map(identity).join(',')}:${wanted.map(identity).join(',')}`;
    const compiled = programs.get(key, () => compile(backend, plan.product({ mode, V, tangents, of: wanted })));
    const product = compiled.plan;
    const run = new Run(backend, storages);
    try {
      for (const { parameter, vector } of moving)
        run.input(product.tangents.get(parameter) as TensorRef, vector, 'float');
    } catch (error) {
      run.cancel();
      throw error;
    }
    const running = run.start(compiled);
    if (running) await running;
    if (memory.holding.released) {
      giveBack(
        backend,
        [...product.results.values()].map((ref) => run.storageOf(ref)),
      );
      throw disposedStep(where);
    }
    const values = [...product.results].map(([parameter, ref]) => {
      const tensor = productTensor(run.storageOf(ref), single ? parameter.shape : ref.shape, memory);
      return [parameter, tensor] as const;
    });
    return resultsOf(new Map(values), { what: where, names: names.parameters, byName: names.byName, frozen });
  };
}

/** A result that can be given back before its step. */
function productTensor(storage: Storage, shape: Shape, memory: StepMemory): Tensor {
  const { holding } = memory;
  holding.storages.push(storage);
  const forget = (): boolean => {
    if (!withdraw(holding, storage)) return false;
    memory.tensors.splice(memory.tensors.indexOf(tensor), 1);
    return true;
  };
  const tensor = tensorOfStep(memory, storage, shape, {
    surrender: forget,
    release() {
      if (forget()) giveBack(holding.backend, [storage]);
    },
  });
  return tensor;
}

/** The parameter of a vector, or of a part of the product that is wanted. */
function requirePart(
  key: Parameter | string,
  trainable: readonly Parameter[],
  {
    where,
    find,
    nameOf,
  }: { readonly where: string; readonly find: ProductParts['find']; readonly nameOf: (parameter: Parameter) => string },
): Parameter {
  const parameter = typeof key === 'string' ? find(key, where) : key;
  if (trainable.includes(parameter)) return parameter;
  throw new GradPackError('GRADPACK-NO-RESULT', `${nameOf(parameter)} takes no part in the product`, {
    where,
    expected: trainable.map(nameOf).join(', '),
    got: nameOf(parameter),
    fix: 'name trainable parameters that the output depends on',
  });
}

/** Products read the step's inputs again. */
function requireInputs(where: string, inputs: readonly Tensor[]): void {
  const disposed = inputs.find((tensor) => tensor['~place'].disposed);
  if (!disposed) return;
  throw new GradPackError('GRADPACK-DISPOSED', 'an input of the step was disposed', {
    where,
    expected: 'inputs that live as long as the products of their step are used',
    got: `a disposed one of shape ${showShape(disposed.shape)}`,
    fix: 'dispose the input after the last product, or pass host data, which the step keeps itself',
  });
}

function disposedStep(where: string): GradPackError {
  return new GradPackError('GRADPACK-DISPOSED', 'the step was disposed', {
    where,
    expected: 'a step that is alive',
    got: 'a disposed one',
    fix: 'use its products before dispose()',
  });
}

function requireFresh(
  where: string,
  { holding }: StepMemory,
  versions: ReadonlyMap<Parameter, number>,
  nameOf: (parameter: Parameter) => string,
): void {
  if (holding.released) throw disposedStep(where);
  for (const [parameter, version] of versions)
    if (parameter.version !== version)
      throw new GradPackError('GRADPACK-STALE-STEP', `${nameOf(parameter)} changed after the step`, {
        where,
        expected: `version ${version} of the parameter`,
        got: `version ${parameter.version}`,
        fix: 'call backward again before using products',
      });
}

interface Tangent {
  readonly parameter: Parameter;
  readonly vector: Given;
  readonly V: number;
  /** Whether it came without a V axis. */
  readonly single: boolean;
}

function tangentsOf(
  vectors: Parameters<ProductFunction>[0],
  trainable: readonly Parameter[],
  {
    backend,
    where,
    find,
    nameOf,
  }: {
    readonly backend: Backend;
    readonly where: string;
    readonly find: ProductParts['find'];
    readonly nameOf: (parameter: Parameter) => string;
  },
): readonly Tangent[] {
  const tangents = entriesOf(vectors).map(([key, x]): Tangent => {
    const parameter = requirePart(key, trainable, { where, find, nameOf });
    const vector = given(x, backend, where);
    const single = sameShape(vector.shape, parameter.shape);
    if (!single && !sameShape(vector.shape.slice(1), parameter.shape))
      throw new GradPackError('GRADPACK-SHAPE', `the vector for ${nameOf(parameter)} has the wrong shape`, {
        where,
        expected: `${showShape(parameter.shape)}, or [V, ${parameter.shape.join(', ')}] for several vectors`,
        got: showShape(vector.shape),
        fix: 'give one vector, or several along a first axis',
      });
    requireFloat(vector, `the vector for ${nameOf(parameter)}`, where);
    return { parameter, vector, V: single ? 1 : (vector.shape[0] as number), single };
  });
  const [first] = tangents;
  if (tangents.some(({ V, single }) => V !== first?.V || single !== first.single))
    throw new GradPackError('GRADPACK-SHAPE', 'the vectors differ in number', {
      where,
      expected: 'the same first axis V for all parameters, or none',
      got: tangents.map(({ vector }) => showShape(vector.shape)).join(', '),
      fix: 'give equally many vectors for each parameter',
    });
  return tangents;
}
