import type { Backend, Storage } from '../backend/backend.js';
import type { RecordedBuffer, TensorRef } from '../backend/tensor-ref.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { Names } from '../module/names.js';
import type { Parameter } from '../module/parameter.js';
import type { ProductFunction } from '../quantity/product-function.js';
import type { ProductMode } from '../quantity/quantity.js';
import type { HostArray } from '../tensor/host-array.js';
import type { Shape } from '../tensor/shape.js';
import { type Tensor, takeToHost, tensorAt, toHost } from '../tensor/tensor.js';
import type { StepFlag } from './flag.js';
import { type Holding, holdFor, release, withdraw } from './memory.js';
import type { Plan } from './plan.js';
import { type Results, readAll, resultsOf } from './results.js';
import type { StepBase } from './step.js';
import type { Quantities, Step } from './supported.js';
import { isTensorRef, mapLeaves } from './tree.js';

/** Everything that ends with a step. */
export interface StepMemory {
  readonly holding: Holding;
  /** Tensors in the user's hands. */
  readonly tensors: Tensor[];
  readonly flag: StepFlag | undefined;
}

export interface StepParts {
  readonly backend: Backend;
  readonly names: Names;
  readonly plan: Plan;
  readonly asked: Quantities;
  readonly storages: ReadonlyMap<RecordedBuffer, Storage>;
  /** Inputs that products read again. */
  readonly inputs: readonly Storage[];
  readonly flag: StepFlag | undefined;
  /** Called when the step ends, before its memory is given back. */
  end(): void;
  product(mode: ProductMode, memory: StepMemory): ProductFunction;
}

/** Names that every step has. */
const TAKEN = ['loss', 'gradient', 'skipped', 'done', 'read', 'take', 'dispose'] satisfies (keyof StepBase)[];

/** Throws GRADPACK-OPTION where a quantity would hide a part of the step. */
export function requireFreeNames(asked: Quantities, where: string): void {
  if (Array.isArray(asked))
    throw new GradPackError('GRADPACK-OPTION', 'quantities have names', {
      where,
      expected: 'an object, such as { individual: batchGrad() }',
      got: 'an array',
      fix: 'name each quantity: results stand on the step under these names',
    });
  const taken = Object.keys(asked).find((name) => TAKEN.some((own) => own === name));
  if (taken !== undefined)
    throw new GradPackError('GRADPACK-OPTION', `the name ${taken} is taken`, {
      where,
      expected: `names other than ${TAKEN.join(', ')}`,
      got: `a quantity named ${taken}`,
      fix: `give the quantity another name, such as { ${taken}Of: … }`,
    });
}

/** `done` looks at the device only when asked. On a prototype: an accessor in an object literal gives every step a hidden class, which keeps it until a full garbage collection. */
class Checks {
  readonly #flag: StepFlag | undefined;
  constructor(flag: StepFlag | undefined) {
    this.#flag = flag;
  }
  get done(): Promise<void> {
    return this.#flag?.check() ?? Promise.resolve();
  }
}

/** Hands out a tensor of storage that the step owns. */
export function tensorOfStep(
  memory: StepMemory,
  storage: Storage,
  shape: Shape,
  parts: Parameters<typeof tensorAt>[4],
): Tensor {
  const tensor = tensorAt(memory.holding.backend, storage, shape, 'the step', parts);
  if (memory.flag) tensor['~place'].flag = memory.flag;
  memory.tensors.push(tensor);
  tensor['~place'].keeps = memory;
  return tensor;
}

/** What a run left on the backend, as the user sees it. */
export function makeStep({ backend, names, plan, asked, storages, inputs, flag, end, product }: StepParts): Step {
  const { bound, program } = plan.recorded;
  const owned = [...inputs];
  bound.forEach((buffer, i) => {
    const role = program.buffers[i]?.role;
    if (buffer && (role === 'result' || role === 'kept')) owned.push(storages.get(buffer) as Storage);
  });
  // `end` must not be a closure of this function: it would hold the step
  const holding: Holding = { storages: owned, backend, released: false, end };
  const memory: StepMemory = { holding, tensors: [], flag };

  const made = new Map<TensorRef, Tensor>();
  const tensorOf = (ref: TensorRef): Tensor => {
    const known = made.get(ref);
    if (known) return known;
    const storage = storages.get(ref.buffer) as Storage;
    const tensor = tensorOfStep(memory, storage, ref.shape, {
      surrender: () => !isReadAgain && !isShared(ref) && withdraw(holding, storage),
    });
    made.set(ref, tensor);
    return tensor;
  };
  /** Products may read any result. */
  let isReadAgain = [...plan.results.values()].some((value) => typeof value === 'string');
  const isShared = (ref: TensorRef): boolean => [...made.keys()].some((x) => x !== ref && x.buffer === ref.buffer);
  const results = (
    what: string,
    values: ReadonlyMap<Parameter, unknown>,
    leaf: (ref: TensorRef) => unknown,
  ): Results<unknown> => {
    const leaves = [...values].map(([parameter, tree]) => [parameter, mapLeaves(tree, isTensorRef, leaf)] as const);
    return resultsOf(new Map(leaves), { what, names: names.parameters, byName: names.byName, frozen: plan.frozen });
  };

  const found: Record<string, unknown> = {};
  for (const name of Object.keys(asked)) {
    const value = plan.results.get(name) ?? new Map<Parameter, unknown>();
    found[name] = typeof value === 'string' ? product(value, memory) : results(`step.${name}`, value, tensorOf);
  }
  const loss = tensorOf(plan.loss);
  const gradient = results('step.gradient', plan.gradient, tensorOf) as Results<Tensor>;
  const dispose = (): void => {
    for (const tensor of memory.tensors) tensor['~place'].disposed = true;
    release(holding);
  };
  const everything = async (read: (x: Tensor) => Promise<HostArray>): Promise<Record<string, unknown>> => {
    const arrays = await readAll(made.values(), read);
    const arrayOf = (ref: TensorRef): HostArray => arrays.get(tensorOf(ref)) as HostArray;
    const named = Object.keys(asked).map((name) => [name, plan.results.get(name) ?? new Map()] as const);
    return {
      loss: arrayOf(plan.loss).data[0],
      gradient: results('step.gradient', plan.gradient, arrayOf),
      ...Object.fromEntries(
        named.flatMap(([name, x]) => (typeof x === 'string' ? [] : [[name, results(`step.${name}`, x, arrayOf)]])),
      ),
    };
  };
  const step = Object.assign(new Checks(flag), found, {
    loss,
    gradient,
    skipped: plan.missing.map(({ quantity, parameter, reason }) => ({
      quantity,
      reason,
      ...(parameter && { parameter: names.parameters.get(parameter) as string }),
    })),
    read: () => everything(toHost),
    take() {
      const isWhole = [...made.values()].every((tensor) => !tensor['~place'].disposed);
      isReadAgain &&= !isWhole;
      const all = everything(takeToHost);
      if (isWhole) dispose();
      return all;
    },
    dispose,
    [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: dispose,
  });
  holdFor(memory, holding);
  return step as unknown as Step;
}
