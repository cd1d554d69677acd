import type { Recorder } from '../backend/recorder.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Linearization } from '../derivatives/linearization.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { Parameter } from '../module/parameter.js';
import type { Node, Tape } from '../module/tape.js';
import type { Value } from '../module/value.js';
import { sameShape, showShape } from '../tensor/shape.js';

/** Streams of randomness that are not a layer call's own. */
const LAYER_STREAMS = 0x10000;

export interface GraphInputs {
  readonly tape: Tape;
  readonly output: Value;
  /** Of the net's inputs. */
  readonly values: ReadonlyMap<Value, TensorRef>;
  readonly k: Recorder;
  /** int32 [2]: seed and step counter. */
  readonly run: TensorRef;
  valueOf(parameter: Parameter): TensorRef;
  scalarsOf(node: Node): readonly TensorRef[];
}

/** The net at one input, recorded: the tape with a linearization per node, and what follows from the graph alone. */
export class Graph {
  readonly k: Recorder;
  readonly nodes: readonly Node[];
  readonly output: Value;
  readonly N: number;
  readonly #linearizations = new Map<Node, Linearization>();
  readonly #refs: Map<Value, TensorRef>;
  readonly #wanted = new Map<Value, boolean>();
  readonly #depends = new Map<Parameter, Map<Value, boolean>>();
  readonly #trainable = new Map<Parameter, boolean>();

  constructor(given: GraphInputs) {
    const { tape, output, values, k, run } = given;
    this.k = k;
    this.nodes = tape.nodes;
    this.output = output;
    this.N = output.shape[0] as number;
    this.#refs = new Map(values);
    for (const node of tape.nodes) {
      const inputs = node.inputs.map((value) => this.ref(value));
      const context = {
        mode: node.mode,
        valueOf: given.valueOf,
        stream: { run, stream: LAYER_STREAMS + node.ordinal },
        scalars: given.scalarsOf(node),
      };
      const linearization = node.layer.linearize(inputs, k, context);
      node.outputs.forEach((value, i) => {
        const made = linearization.outputs[i];
        if (!made || !sameShape(made.shape, value.shape))
          throw new GradPackError(
            'GRADPACK-INTERNAL',
            `layer ${node.layer.kind} does not keep its word on output ${i}`,
            {
              where: `${node.layer.kind}.linearize`,
              expected: showShape(value.shape),
              got: made ? showShape(made.shape) : 'no output',
              fix: 'make outputShapes and linearize agree',
            },
          );
        this.#refs.set(value, made);
      });
      this.#linearizations.set(node, linearization);
    }
  }

  ref(value: Value): TensorRef {
    return this.#refs.get(value) as TensorRef;
  }
  at(node: Node): Linearization {
    return this.#linearizations.get(node) as Linearization;
  }
  isTrainable(parameter: Parameter): boolean {
    const known = this.#trainable.get(parameter);
    if (known !== undefined) return known;
    this.#trainable.set(parameter, parameter.trainable);
    return parameter.trainable;
  }

  /** Whether a trainable parameter was used at or before the call that made this value. */
  wanted(value: Value): boolean {
    const known = this.#wanted.get(value);
    if (known !== undefined) return known;
    const { producer } = value;
    const wanted =
      producer !== undefined &&
      (this.at(producer).uses.some((use) => this.isTrainable(use.parameter)) ||
        producer.inputs.some((input) => this.wanted(input)));
    this.#wanted.set(value, wanted);
    return wanted;
  }

  /** Whether the value depends on the parameter. */
  depends(value: Value, parameter: Parameter): boolean {
    let memo = this.#depends.get(parameter);
    if (!memo) {
      memo = new Map();
      this.#depends.set(parameter, memo);
    }
    const known = memo.get(value);
    if (known !== undefined) return known;
    const { producer } = value;
    const depends =
      producer !== undefined &&
      (this.at(producer).uses.some((use) => use.parameter === parameter) ||
        producer.inputs.some((input) => this.depends(input, parameter)));
    memo.set(value, depends);
    return depends;
  }

  /** The nodes that columns starting at these values pass through, last first. */
  reach(starts: Iterable<Value>): readonly Node[] {
    const seen = new Set<Node>();
    const visit = (value: Value): void => {
      const { producer } = value;
      if (!producer || seen.has(producer) || !this.wanted(value)) return;
      seen.add(producer);
      producer.inputs.forEach(visit);
    };
    for (const value of starts) visit(value);
    return [...seen].sort((a, b) => b.id - a.id);
  }

  /** The trainable parameters that the output depends on, in the order of their first use. */
  parameters(): readonly Parameter[] {
    const reached = [...this.reach([this.output])].reverse();
    const found = reached.flatMap((node) => this.at(node).uses.map((use) => use.parameter));
    return [...new Set(found)].filter((parameter) => this.isTrainable(parameter));
  }
}
