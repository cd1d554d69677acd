import { cpu } from '@gradpack/backend-cpu';
import {
  type Backend,
  ERROR_CODES,
  extend,
  GradPackError,
  type Loss,
  type Module,
  type Net,
  type NetInput,
  type Parameter,
} from '@gradpack/core';
import { linear, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { expect } from 'vitest';

// nets that are given broken quantities and options on purpose
type AnyNet = Net & {
  backward(
    input: unknown,
    target: unknown,
    quantities?: unknown,
    options?: unknown,
  ): Promise<Record<string, never> & { dispose(): void }>;
};

export interface Setup {
  readonly model?: () => Module;
  readonly loss?: Loss;
  readonly input?: NetInput | readonly NetInput[];
  readonly target?: NetInput;
  readonly backend?: Backend;
}
export interface Subject {
  readonly net: AnyNet;
  readonly model: Module;
  readonly backend: Backend;
  /** Input and target that are as they should be. */
  readonly x: NetInput;
  readonly y: NetInput;
}

export const x = [
  [1, 2, 3, 4],
  [0, -1, 2, 0.5],
];
export const y = Int32Array.of(0, 2);

/**
 * The error of a call that must fail. Before it is handed out: it is a GradPackError whose text holds every part, the net still gives
 * the numbers it gave before, and nothing is left in memory.
 */
export async function errorOf(
  act: (subject: Subject) => unknown,
  {
    model: make = () => sequential(linear(4, 3)),
    loss = crossEntropyLoss(),
    input = x,
    target = y,
    backend = cpu({ precision: 'float64' }),
  }: Setup = {},
): Promise<GradPackError> {
  const model = make();
  const net = (await extend(model, loss, { backend, seed: 1 })) as unknown as AnyNet;
  const before = await gradientOf(net, input, target);
  const numbers = await parametersOf(net);
  const { live } = backend.memory();
  const error = await failureOf(() => act({ net, model, backend, x: input as NetInput, y: target }));
  expect(await parametersOf(net)).toEqual(numbers);
  expect(await gradientOf(net, input, target)).toEqual(before);
  expect(backend.memory().live).toBe(live);
  await net.dispose();
  expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  return error;
}

/** The GradPackError that a call throws or rejects with, its parts checked. */
export async function failureOf(act: () => unknown): Promise<GradPackError> {
  let error: unknown;
  try {
    await act();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(GradPackError);
  const { code, message, where, fix, detail } = error as GradPackError;
  expect(Object.keys(ERROR_CODES)).toContain(code);
  expect(detail).toHaveProperty('expected');
  expect(detail).toHaveProperty('got');
  const { expected, got } = detail;
  for (const part of [code, `where: ${where}`, `expected: ${expected}`, `got: ${got}`, `fix: ${fix}`])
    expect(message).toContain(part);
  return error as GradPackError;
}

async function gradientOf(net: AnyNet, input: unknown, target: unknown): Promise<unknown> {
  const { seed, step } = net.state();
  const made = await net.backward(input, target, {}, { mode: 'eval' });
  const { loss, gradient } = (await (made as unknown as { read(): Promise<unknown> }).read()) as {
    loss: number;
    gradient: Iterable<readonly [string, Parameter, { data: Float64Array }]>;
  };
  made.dispose();
  net.loadState({ seed, step });
  return [loss, ...[...gradient].map(([name, , { data }]) => [name, [...data]])];
}

async function parametersOf(net: AnyNet): Promise<unknown> {
  const read = [...net.parameters].map(async ([name, parameter]) => [name, [...(await parameter.data()).data]]);
  return Promise.all(read);
}
