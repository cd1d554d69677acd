import type { Backend, RunOptions, Storage } from '../backend/backend.js';
import { GradPackError } from '../errors/gradpack-error.js';
import { identity } from '../identity.js';
import type { Loss } from '../loss/loss.js';
import { requireSameCore } from '../module/core-check.js';
import type { Carry, Layer, Mode } from '../module/layer.js';
import type { Module } from '../module/module.js';
import { type Names, namesOf } from '../module/names.js';
import type { Parameter } from '../module/parameter.js';
import type { FormedQuantity } from '../quantity/quantity.js';
import { needsOf, type RuleEntry } from '../quantity/registry.js';
import { type Shape, showShape } from '../tensor/shape.js';
import { ownership, type Tensor, tensorAt } from '../tensor/tensor.js';
import { type Compiled, compile, discard } from './compiled.js';
import { namesOfNotFinite, notFinite, StepFlag } from './flag.js';
import { type ForwardPlan, recordForward } from './forward-plan.js';
import {
  checkIds,
  type Given,
  given,
  givenInputs,
  type NetInput,
  requireFloat,
  requireOneBatch,
  requireShape,
  requireTarget,
} from './host-input.js';
import { LeastRecentlyUsed } from './lru.js';
import { makeStep, requireFreeNames } from './make-step.js';
import { requireOptions, requireWord } from './options.js';
import { entriesOf, type PerParameter } from './per-parameter.js';
import { makePlan, type Plan, type PlanRequest, type ProductPlan } from './plan.js';
import { planKey } from './plan-key.js';
import type { RecordedInputs } from './recorded-inputs.js';
import { Run } from './run.js';
import { productFunction } from './run-product.js';
import { type Summary, summarize } from './summary.js';
import type { FormedQuantities, Quantities, Step, Supported } from './supported.js';
import { type Leaf, type Trace, traceForward, traceKey } from './trace.js';
import { recordUpdate, type UpdatePlan } from './update-plan.js';

/** Plans that a net keeps. */
const PLANS = 8;

/** How one step is computed. */
export interface BackwardOptions extends RunOptions {
  /** Whether `step.gradient` is wanted; true by default. */
  readonly gradient?: boolean;
  /** `train` by default. */
  readonly mode?: Mode;
  /** Bytes that this step may take; by default the backend's limit. */
  readonly memoryLimit?: number;
  /** `skip` leaves out what is not supported and lists it in `step.skipped`. */
  readonly onMissing?: 'error' | 'skip';
  /** Waits for the step and throws GRADPACK-NOT-FINITE where the loss or a result is NaN or infinite. */
  readonly checkFinite?: boolean;
  /** At most this many columns in one pass. By default the plan decides. */
  readonly columns?: number;
  /** How columns that are born inside the net are carried (Hessian). By default the plan decides. */
  readonly inner?: 'growing' | 'separate';
}

export interface NetOptions {
  readonly seed: number;
  readonly entries: ReadonlyMap<string, RuleEntry>;
}

interface StepProgram extends Compiled<Plan> {
  /** Of the products that its steps hand out. */
  readonly products: LeastRecentlyUsed<Compiled<ProductPlan>>;
  /** Who may still call products: the net while it keeps the plan, and steps. */
  users: number;
}

/** One user less of a program's products. */
function leave(program: StepProgram): void {
  program.users--;
  if (program.users === 0) program.products.clear();
}

/** A model with a loss on a backend: computes, and asks one backward pass for more than the gradient. Made by `extend`. */
export class Net<L extends Layer = Layer, LossCarries extends Carry = Carry, Covers extends string = never> {
  declare readonly '~types'?: [L, LossCarries, Covers];
  readonly model: Module;
  readonly loss: Loss;
  readonly backend: Backend;
  readonly #names: Names;
  readonly #entries: ReadonlyMap<string, RuleEntry>;
  readonly #discard = (compiled: Compiled): void => discard(this.backend, compiled);
  readonly #steps = new LeastRecentlyUsed<StepProgram>(PLANS, (program) => {
    this.#discard(program);
    leave(program);
  });
  readonly #forwards = new LeastRecentlyUsed<Compiled<ForwardPlan>>(PLANS, this.#discard);
  readonly #updates = new LeastRecentlyUsed<Compiled<UpdatePlan>>(PLANS, this.#discard);
  #seed: number;
  #counter = 0;
  #disposed = false;
  /** Of earlier steps with ids that only the device has seen: the next `backward` tells what nobody asked for. */
  #flags: StepFlag[] = [];

  constructor(model: Module, loss: Loss, backend: Backend, { seed, entries }: NetOptions) {
    this.model = model;
    this.loss = loss;
    this.backend = backend;
    this.#seed = requireWord('seed', seed, 'extend');
    this.#entries = entries;
    this.#names = namesOf(model);
    for (const [parameter, name] of this.#names.parameters) parameter['~state'].requireBackend(backend, name);
    const attached: Parameter[] = [];
    try {
      for (const [parameter, name] of this.#names.parameters) {
        parameter['~state'].initialize(seed, name);
        parameter['~state'].attach(backend, name);
        attached.push(parameter);
      }
    } catch (error) {
      for (const parameter of attached) void parameter['~state'].detach();
      throw error;
    }
  }

  /** Parameters and buffers by name, in order; a tied parameter stands under each of its names. */
  get parameters(): ReadonlyMap<string, Parameter> {
    return this.#names.byName;
  }

  /** Seed and step counter: what randomness depends on. */
  state(): { readonly seed: number; readonly step: number } {
    return { seed: this.#seed, step: this.#counter };
  }
  /** Goes on from an earlier `state()`. */
  loadState({ seed, step }: { readonly seed: number; readonly step: number }): void {
    this.#seed = requireWord('seed', seed, 'net.loadState');
    this.#counter = requireWord('step', step, 'net.loadState');
  }

  /**
   * One forward and one extended backward pass. The step's `loss`, `gradient` and one entry per quantity stay on the backend until
   * they are read.
   *
   * @param input host numbers or a tensor, the batch first; an array of tensors (or of data with shapes) goes to `forward(...inputs)`
   * @param quantities by the names that the step will have
   * @throws GradPackError: shapes, dtypes, ids out of range, unsupported pairs, memory; the net stays usable
   * @example
   * const step = await net.backward(images, labels, { individual: batchGrad(), curvature: kfac() });
   * step.individual.get('0.weight').shape; // [N, ...]
   */
  async backward<const Q extends Quantities = Record<never, never>>(
    input: NetInput | readonly NetInput[],
    target: NetInput,
    quantities?: Supported<Q, L, LossCarries, Covers>,
    options: BackwardOptions = {},
  ): Promise<Step<Q>> {
    // nothing is awaited before the run is queued: what is called after this comes after it
    const where = 'net.backward';
    this.#requireAlive(where);
    const counter = this.#counter++;
    requireOptions(options, where);
    const asked = (quantities ?? {}) as FormedQuantities;
    for (const quantity of Object.values(asked)) requireSameCore(quantity, where);
    requireFreeNames(asked, where);
    const inputs = givenInputs(input, this.backend, where);
    const trace = this.#trace(inputs, options.mode ?? 'train', Object.values(asked), where);
    const labels = given(target, this.backend, where);
    const expected = requireTarget(labels, this.loss.target(trace.output.shape), this.backend.precision, where);
    const request = this.#requestFor(trace, expected, asked, options);
    const program = this.#steps.get(planKey(request), () => ({
      ...compile(this.backend, makePlan(request)),
      products: new LeastRecentlyUsed<Compiled<ProductPlan>>(PLANS, this.#discard),
      users: 1,
    }));
    const { plan } = program;
    const hasProducts = Object.values(asked).some(({ by }) => by === 'product');

    const run = new Run(this.backend);
    let kept: readonly Storage[] = [];
    try {
      this.#bindForward(run, plan, trace, inputs, counter);
      run.input(plan.target, labels, request.target.dtype === 'int32' ? 'int32' : 'float');
      if (plan.scale) {
        const scale = this.loss.scale ?? 1;
        run.scalar(plan.scale.value, [scale]);
        run.scalar(plan.scale.root, [Math.sqrt(Math.abs(scale))]);
      }
      if (hasProducts) kept = run.keepUploads(); // products read the inputs again
    } catch (error) {
      run.cancel();
      throw error;
    }
    const versions = new Map([...plan.parameters.keys()].map((parameter) => [parameter, parameter.version]));
    const running = run.start(program, options);
    if (running) await running;
    const { backend } = this;
    const { storages } = run;
    const flag = plan.flag && new StepFlag(backend, run.storageOf(plan.flag));
    if (hasProducts) program.users++;
    const step = makeStep({
      backend,
      names: this.#names,
      plan,
      asked,
      storages,
      inputs: kept,
      flag,
      end: () => {
        flag?.end();
        if (hasProducts) leave(program);
      },
      product: (mode, memory) =>
        productFunction({
          backend,
          names: this.#names,
          plan,
          mode,
          storages,
          versions,
          inputs: [...inputs, labels].flatMap((x) => ('tensor' in x ? [x.tensor] : [])),
          memory,
          programs: program.products,
          find: (name, at) => this.#find(name, at),
          requireAlive: (at) => this.#requireAlive(at),
        }),
    });
    try {
      for (const earlier of this.#flags.splice(0)) if (!earlier.told) await earlier.check();
      if (options.checkFinite) await this.#requireFinite(step);
    } catch (error) {
      step.dispose();
      throw error;
    }
    if (flag && !flag.told) this.#flags.push(flag);
    return step as unknown as Step<Q>;
  }

  /** The net's output, on the backend; yours to dispose. `eval` mode by default; records nothing for a backward pass. */
  async forward(
    input: NetInput | readonly NetInput[],
    { mode = 'eval' }: { readonly mode?: Mode } = {},
  ): Promise<Tensor> {
    const where = 'net.forward';
    this.#requireAlive(where);
    const inputs = givenInputs(input, this.backend, where);
    const trace = this.#trace(inputs, mode, [], where);
    const program = this.#forwards.get(traceKey(trace), () =>
      compile(this.backend, recordForward(trace, this.backend)),
    );
    const { plan } = program;
    const run = new Run(this.backend);
    try {
      this.#bindForward(run, plan, trace, inputs, this.#counter);
    } catch (error) {
      run.cancel();
      throw error;
    }
    const running = run.start(program);
    if (running) await running;
    const { backend } = this;
    const storage = run.storageOf(plan.output);
    const flag = plan.flag && new StepFlag(backend, run.storageOf(plan.flag));
    const owned = ownership(backend, flag ? [storage, flag.storage] : [storage]);
    const output = tensorAt(backend, storage, plan.output.shape, 'the output', owned);
    if (flag) output['~place'].flag = flag;
    return output;
  }

  /**
   * `θ += scale · x` on the backend, after the steps called before. Products of earlier steps are then GRADPACK-STALE-STEP.
   *
   * @param steps results of a step (`step.gradient`) or copies of them, or numbers or tensors by name or parameter
   * @example
   * await net.update(step.gradient, { scale: -0.1 });
   */
  async update(steps: PerParameter, { scale = 1 }: { readonly scale?: number } = {}): Promise<void> {
    const where = 'net.update';
    this.#requireAlive(where);
    const pairs = entriesOf(steps).map(
      ([key, x]) => [typeof key === 'string' ? this.#find(key, where) : key, x] as const,
    );
    const parameters = pairs.map(([parameter]) => parameter);
    const stranger = parameters.find((parameter) => !this.#names.parameters.has(parameter));
    if (stranger)
      throw new GradPackError('GRADPACK-UNKNOWN-NAME', 'the results are not of parameters of this net', {
        where,
        expected: `results for ${[...this.#names.byName.keys()].join(', ')}`,
        got: `one for a parameter of shape ${showShape(stranger.shape)} of another net`,
        fix: 'update the net whose step this is',
      });
    const inputs = pairs.map(([parameter, x]) => {
      const step = given(x, this.backend, where);
      requireShape(step, parameter.shape, `the step of ${this.#nameOf(parameter)}`, where);
      requireFloat(step, `the step of ${this.#nameOf(parameter)}`, where);
      return step;
    });
    if (!Number.isFinite(scale))
      throw new GradPackError('GRADPACK-OPTION', 'the scale of an update is not a number', {
        where,
        expected: 'a finite number, such as minus the learning rate',
        got: String(scale),
        fix: 'look where the learning rate comes from',
      });
    const flags = inputs.map((x) => ('tensor' in x ? x.tensor['~place'].flag?.storage : undefined));
    const key = parameters.map((parameter, i) => `${identity(parameter)}${flags[i] ? '!' : ''}`).join(',');
    const program = this.#updates.get(key, () => {
      const flagged = parameters.map((parameter, i) => [parameter, flags[i] !== undefined] as const);
      return compile(this.backend, recordUpdate(flagged, this.backend.precision));
    });
    const { plan } = program;
    const run = new Run(this.backend);
    try {
      inputs.forEach((x, i) => {
        run.input(plan.steps[i] as (typeof plan.steps)[number], x, 'float');
      });
      run.scalar(plan.scale, [scale]);
      plan.flags.forEach((ref, i) => {
        const storage = flags[i];
        if (ref && storage) run.storage(ref, storage);
      });
      run.parameters(plan.parameters, this.#nameOf);
    } catch (error) {
      run.cancel();
      throw error;
    }
    for (const parameter of parameters) parameter['~state'].version++;
    const running = run.start(program);
    if (running) await running;
  }

  /** Layers, shapes, parameters, bytes and supported pairs for an input shape, without computing anything. */
  summary(inputShape: Shape | readonly Shape[], asked: Quantities = {}): Summary {
    const quantities = asked as FormedQuantities;
    const shapes = (typeof inputShape[0] === 'number' ? [inputShape] : inputShape) as readonly Shape[];
    const inputs = shapes.map((shape): Given => ({ shape, dtype: 'host', host: { shape, data: [] } }));
    const trace = this.#trace(inputs, 'train', Object.values(quantities), 'net.summary');
    const { dtype, shape } = this.loss.target(trace.output.shape);
    const target = { shape, dtype: dtype === 'int32' ? dtype : this.backend.precision, checked: true };
    const request = this.#requestFor(trace, target, quantities, {
      onMissing: 'skip',
      memoryLimit: Number.POSITIVE_INFINITY,
    });
    const plan = makePlan({ ...request, tensorBytes: Number.POSITIVE_INFINITY });
    return summarize(trace, this.#names, plan, quantities);
  }

  /** Takes the net off its backend. The model's numbers go back to the host where no other net holds them. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#steps.clear();
    this.#forwards.clear();
    this.#updates.clear();
    await Promise.all([...this.#names.parameters.keys()].map((parameter) => parameter['~state'].detach()));
  }

  #requireAlive(where: string): void {
    if (this.#disposed)
      throw new GradPackError('GRADPACK-DISPOSED', 'the net was disposed', {
        where,
        expected: 'a net that is alive',
        got: 'a disposed one',
        fix: 'extend the model again',
      });
    const { state, name } = this.backend;
    if (state !== 'alive')
      throw new GradPackError(
        state === 'lost' ? 'GRADPACK-BACKEND-LOST' : 'GRADPACK-DISPOSED',
        `the ${name} backend is ${state}`,
        {
          where,
          expected: 'a backend that is alive',
          got: state,
          fix: 'make a new backend, and extend a model with the state dict you saved',
        },
      );
  }

  readonly #nameOf = (parameter: Parameter): string => this.#names.parameters.get(parameter) ?? 'of another net';

  #find(name: string, where: string): Parameter {
    const parameter = this.#names.byName.get(name);
    if (parameter) return parameter;
    throw new GradPackError('GRADPACK-UNKNOWN-NAME', `there is no parameter ${name}`, {
      where,
      expected: [...this.#names.byName.keys()].join(', '),
      got: name,
      fix: 'use one of the names above',
    });
  }

  #trace(inputs: readonly Given[], mode: Mode, quantities: readonly FormedQuantity[], where: string): Trace {
    requireOneBatch(inputs, where);
    const needs = new Set(quantities.flatMap(needsOf));
    const expands = (layer: Layer): boolean => [...needs].some((need) => !layer.carries.includes(need));
    const trace = traceForward(this.model, inputs, { names: this.#names, mode, expands });
    const leaves = trace.leaves.map((leaf, i): Leaf => {
      const checked = leaf.bound === undefined || checkIds(inputs[i] as Given, leaf.bound, 'ids', where);
      return { ...leaf, checked };
    });
    return { ...trace, leaves };
  }

  #requestFor(
    trace: Trace,
    target: PlanRequest['target'],
    quantities: FormedQuantities,
    options: BackwardOptions,
  ): PlanRequest {
    const { precision, limits } = this.backend;
    return {
      trace,
      loss: this.loss,
      target,
      gradient: options.gradient ?? true,
      quantities,
      entries: this.#entries,
      precision,
      columnBytes: limits.columnBytes,
      tensorBytes: limits.tensorBytes,
      mapsInPlace: limits.mapsInPlace ?? false,
      memoryLimit: options.memoryLimit ?? limits.memory,
      onMissing: options.onMissing ?? 'error',
      checkFinite: options.checkFinite ?? false,
      ...(options.columns !== undefined && { columns: options.columns }),
      ...(options.inner !== undefined && { inner: options.inner }),
    };
  }

  #bindForward(
    run: Run,
    plan: RecordedInputs & Compiled['plan'],
    trace: Trace,
    inputs: readonly Given[],
    counter: number,
  ): void {
    inputs.forEach((x, i) => {
      run.input(plan.leaves[i] as (typeof plan.leaves)[number], x, (trace.leaves[i] as Leaf).dtype);
    });
    if (plan.recorded.bound.includes(plan.run.buffer)) run.scalar(plan.run, [this.#seed | 0, counter | 0]);
    for (const { node, index, ref } of plan.scalars)
      run.scalar(ref, [trace.tape.nodes[node]?.layer.scalars?.[index] ?? 0]);
    run.parameters(plan.parameters, this.#nameOf);
  }

  async #requireFinite(step: Step): Promise<void> {
    try {
      await step.done;
    } catch (error) {
      const broken = error instanceof GradPackError && error.code === 'GRADPACK-NOT-FINITE';
      if (!broken) throw error;
      const { loss, gradient, ...others } = step;
      throw notFinite(await namesOfNotFinite({ loss, gradient, ...others }));
    }
  }
}
