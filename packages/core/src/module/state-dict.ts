import { GradPackError } from '../errors/gradpack-error.js';
import { type ArrayInput, type FlatArray, flatten, type HostArray } from '../tensor/host-array.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Module } from './module.js';
import { namesOf } from './names.js';
import type { Parameter } from './parameter.js';

/** Numbers by PyTorch's names. */
export type StateDict = Readonly<Record<string, HostArray>>;

/** Draws the numbers of all parameters that have none yet. */
export function initialize(model: Module, seed: number): void {
  for (const [parameter, name] of namesOf(model).parameters) parameter['~state'].initialize(seed, name);
}

export async function stateDict(model: Module): Promise<StateDict> {
  initialize(model, 0);
  const entries = [...namesOf(model).byName].map(async ([name, parameter]) => [name, await parameter.data()] as const);
  return Object.fromEntries(await Promise.all(entries));
}

export function loadStateDict(model: Module, dict: Readonly<Record<string, ArrayInput>>): void {
  const { byName } = namesOf(model);
  // PyTorch counts batches in a buffer that nothing here needs
  const given = Object.keys(dict).filter((name) => byName.has(name) || !name.endsWith('num_batches_tracked'));
  // one of a tied parameter's names is enough
  const found = new Set([...byName].flatMap(([name, parameter]) => (name in dict ? [parameter] : [])));
  const missing = [...byName].flatMap(([name, parameter]) => (found.has(parameter) ? [] : [name]));
  const unknown = given.filter((name) => !byName.has(name));
  if (missing.length > 0 || unknown.length > 0)
    throw new GradPackError('GRADPACK-UNKNOWN-NAME', 'the state dict does not belong to this model', {
      where: 'model.loadStateDict',
      expected: [...byName.keys()].join(', '),
      got: `${missing.length > 0 ? `without ${missing.join(', ')}` : ''}${missing.length > 0 && unknown.length > 0 ? '; ' : ''}${unknown.length > 0 ? `with unknown ${unknown.join(', ')}` : ''}`,
      fix: 'load a state dict of the same architecture',
      detail: { missing, unknown },
    });
  const chosen = new Map<Parameter, { readonly name: string; readonly numbers: FlatArray }>();
  for (const [name, parameter] of byName) {
    if (!(name in dict)) continue;
    const numbers = flatten(dict[name] as ArrayInput, 'model.loadStateDict');
    if (!sameShape(numbers.shape, parameter.shape))
      throw new GradPackError('GRADPACK-SHAPE', `${name} has another shape in the state dict`, {
        where: 'model.loadStateDict',
        expected: showShape(parameter.shape),
        got: showShape(numbers.shape),
        fix: 'load a state dict of the same architecture',
      });
    const other = chosen.get(parameter);
    if (other && !sameNumbers(other.numbers.data, numbers.data))
      throw new GradPackError(
        'GRADPACK-OPTION',
        `${other.name} and ${name} are one parameter, but differ in the state dict`,
        {
          where: 'model.loadStateDict',
          expected: 'the same numbers under both names, or one of them',
          got: 'different numbers',
          fix: 'leave one of the two out, or build the model without the tie',
        },
      );
    chosen.set(parameter, { name, numbers });
  }
  for (const [parameter, { numbers }] of chosen) parameter.set(numbers);
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
