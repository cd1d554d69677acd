// Run by memory.test.ts in a process with --expose-gc: what the garbage collector does is printed, a line each.
import { cpu } from '@gradpack/backend-cpu';
import { extend, type NetInput, silence, tensorAt } from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { hessianVectorProduct } from '@gradpack/extensions-secondorder';
import { linear, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';

const scenario = process.argv[2];
const collect = (globalThis as unknown as { gc(): void }).gc;
console.warn = (text: string) => console.log(text.split('\n')[0]);

const backend = cpu();
const net = await extend(sequential(linear(3, 4), sigmoid(), linear(4, 2)), crossEntropyLoss(), { backend });
const ids = backend.allocate('int32', 2);
backend.write(ids, Int32Array.of(0, 1));
const seenOnlyThere = tensorAt(backend, ids, [2]);
const x = [
  [1, 2, 3],
  [0, 1, 0],
];
const backward = (target: NetInput = [0, 1]) =>
  net.backward(x, target, { individual: batchGrad(), hvp: hessianVectorProduct() });

const { live } = backend.memory();
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const state = async (what: string): Promise<void> => {
  await turns();
  console.log(`${what}: ${backend.memory().live === live ? 'given back' : 'kept'}`);
};
/** Keeps only what `part` takes of a step. */
async function partOf<T>(
  part: (step: Awaited<ReturnType<typeof backward>>) => T | Promise<T>,
  target?: NetInput,
): Promise<T> {
  const step = await backward(target);
  return part(step);
}

if (scenario === 'silence') silence('step-not-disposed');
if (scenario === 'keep') {
  const parts: Record<string, (step: Awaited<ReturnType<typeof backward>>) => unknown> = {
    loss: (step) => step.loss,
    gradient: (step) => step.gradient,
    'one result': (step) => step.individual.get('0.weight'),
    product: (step) => step.hvp,
    'result of a product': async (step) => (await step.hvp({ '0.bias': [1, 0, 0, 0] })).get('0.bias'),
  };
  for (const [name, part] of Object.entries(parts)) {
    let kept: unknown = await partOf(part);
    await state(name);
    if (typeof kept === 'function') await (kept as (v: object) => Promise<unknown>)({ '0.bias': [1, 0, 0, 0] });
    if (typeof kept === 'object' && kept !== null && 'data' in kept)
      await (kept as { data(): Promise<unknown> }).data();
    kept = undefined;
    await state(`without ${name}`);
  }
} else {
  for (let i = 0; i < 3; i++) await partOf(() => undefined);
  await state('three steps');
  await partOf(() => undefined, seenOnlyThere);
  await state('a step with checks on the device');
  await net.dispose();
  backend.release(ids);
  console.log(JSON.stringify(backend.memory().live));
}
