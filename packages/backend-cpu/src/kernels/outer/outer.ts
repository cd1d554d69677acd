import type { OuterRequest, OuterSpec } from '@gradpack/core';
import type { CpuKernel, Place } from '../place.js';
import { type BoundRequest, bindRequest } from './bound-request.js';
import { areLookups, reduceLookupRows } from './lookup-rows.js';
import { reducerOf } from './reducer.js';
import { reduceSinglePosition } from './single-position.js';
import { reduceSummed } from './summed.js';
import { bindTerm, columnsOf } from './term.js';
import { reduceTiles } from './tiles.js';

/** How a request is met: by a product over all samples, by vectors of one position, by the rows of lookups, or from tiles of G. */
type Route = 'summed' | 'single position' | 'lookup rows' | 'tiles';

export const outer: CpuKernel<'outer'> = (spec, reads, writes) => {
  const { N, size, terms } = spec;
  const routes = routesOf(spec);
  const bound = spec.requests.map((request, i) => {
    const overwrites = routes[i] === 'single position' && isWrittenOnce(request, terms);
    return bindRequest(request, N, size, reads, writes, overwrites);
  });
  const on = (route: Route): readonly BoundRequest[] => bound.filter((_, i) => routes[i] === route);
  for (const request of on('summed')) reduceSummed(terms, size, N, request, reads);
  const [first] = terms;
  if (first?.kind === 'matrix')
    for (const request of on('single position')) reduceSinglePosition(first, N, request, reads);
  if (areLookups(terms))
    reduceFrom(on('lookup rows'), size, reads, (reducers) => reduceLookupRows(spec, terms, reads, reducers));
  const bind = terms.map((term) => bindTerm(term, reads));
  reduceFrom(on('tiles'), size, reads, (reducers) => reduceTiles(spec, bind, reducers));
};

/** Whether each entry of the result gets exactly one product of a sample, with the term as its only one. */
function isWrittenOnce({ form, from, to, strides, accumulate }: OuterRequest, terms: OuterSpec['terms']): boolean {
  const columns = Math.max(...terms.map(columnsOf));
  const once = strides.n !== 0 && (strides.v !== 0 || to - from === 1);
  return once && !accumulate && form !== 'norm' && to <= columns;
}

function reduceFrom(
  requests: readonly BoundRequest[],
  size: number,
  reads: readonly Place[],
  run: (reducers: readonly ReturnType<typeof reducerOf>[]) => void,
): void {
  if (requests.length === 0) return;
  const reducers = requests.map((bound) =>
    reducerOf(
      bound,
      size,
      (bound.request.cross ?? []).map((term) => bindTerm(term, reads)),
    ),
  );
  run(reducers);
  for (const reducer of reducers) reducer.finish();
}

function routesOf({ terms, requests }: OuterSpec): readonly Route[] {
  const [first] = terms;
  const single = terms.length === 1 && first?.kind === 'matrix' && first.a.T === 1;
  const sparse = areLookups(terms);
  const direct = ({ form, strides }: OuterRequest): Route | 'sum' => {
    if (form === 'cross' || form === 'centred') return 'tiles';
    if (single && form !== 'norm' && strides.n === 0) return 'summed';
    if (single) return 'single position';
    if (form === 'plain' && strides.n === 0) return 'sum';
    return sparse ? 'lookup rows' : 'tiles';
  };
  const wishes = requests.map(direct);
  // where tiles of G are formed for these columns anyway, a sum of them costs one addition an entry
  const formed = requests.filter((_, i) => wishes[i] === 'tiles');
  return requests.map((request, i) => {
    const wish = wishes[i] as Route | 'sum';
    if (wish !== 'sum') return wish;
    return !sparse && formed.some((r) => r.from <= request.from && request.to <= r.to) ? 'tiles' : 'summed';
  });
}
