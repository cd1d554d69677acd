import type { NetSpec, SpecArray } from '../net-spec.js';
import { type Columns, pulled, realFactor } from './columns.js';
import { derivativesAlong } from './derivatives.js';
import { channelsOf, type Direction, entriesOf, parameterOf } from './direction.js';
import { forward } from './forward.js';
import { lookupInputFactor, matrixInputFactor } from './kronecker-input.js';
import type { PerParameter } from './per-parameter.js';
import { at } from './positions.js';
import { type Use, usesByParameter } from './uses.js';

export interface KroneckerFactors {
  readonly output: SpecArray;
  readonly input?: SpecArray;
}

/** KFAC from sampled columns, KFLR from exact ones. Parameters whose uses are of different kinds have none. */
export function kroneckerFactors(net: NetSpec, columns: Columns): PerParameter<KroneckerFactors> {
  const factor = realFactor(columns);
  const values = forward(net);
  const factors: [string, KroneckerFactors][] = [];
  for (const [name, uses] of usesByParameter(net)) {
    const kind = commonKind(uses);
    if (kind === 'matrix') {
      const groups = groupsOf(uses);
      if (groups === undefined) continue;
      const channels = channelsOf(name, at(parameterOf(net, name).shape, 0));
      const output = outputFactor(net, factor, channels, groups);
      factors.push([name, { output, input: matrixInputFactor(net, values, name, uses, groups) }]);
    } else if (kind === 'lookup') {
      const [words = 0, width = 0] = parameterOf(net, name).shape;
      const output = outputFactor(net, factor, channelsOf(name, width), 1);
      factors.push([name, { output, input: lookupInputFactor(net, values, words, uses) }]);
    } else if (kind) {
      factors.push([name, { output: outputFactor(net, factor, entriesOf(net, name), 1) }]);
    }
  }
  return Object.fromEntries(factors);
}

function commonKind(uses: readonly Use[]): Use['kind'] | undefined {
  const kinds = new Set(uses.map(({ kind }) => kind));
  return kinds.size === 1 ? at([...kinds], 0) : undefined;
}

/** Of a matrix; undefined where its uses have different ones. */
function groupsOf(uses: readonly Use[]): number | undefined {
  const groups = new Set(uses.map(({ node }) => ('groups' in node ? (node.groups ?? 1) : 1)));
  return groups.size === 1 ? at([...groups], 0) : undefined;
}

/**
 * B = Σ_{v,n} G Gᵀ over the channels' directions: [O, O], or the diagonal blocks of equal size, [groups, O, O].
 * A matrix's channels are those of its virtual bias, so G = Σ_t S over all uses.
 */
function outputFactor(net: NetSpec, columns: Columns, channels: readonly Direction[], groups: number): SpecArray {
  const samples = at(net.loss.target.shape, 0);
  const jacobians = channels.map((channel) => derivativesAlong(net, channel).output);
  const rows = Array.from({ length: columns.count * samples }, (_, row) =>
    jacobians.map((jacobian) => pulled(columns, row, jacobian, samples)),
  );
  const size = channels.length / groups;
  const data: number[] = [];
  for (let group = 0; group < groups; group++) {
    for (let i = group * size; i < (group + 1) * size; i++) {
      for (let j = group * size; j < (group + 1) * size; j++) {
        data.push(rows.reduce((sum, g) => sum + at(g, i) * at(g, j), 0));
      }
    }
  }
  return { shape: groups === 1 ? [size, size] : [groups, size, size], data };
}
