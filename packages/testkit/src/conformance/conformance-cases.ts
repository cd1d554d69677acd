import type { BackendLimits } from '@gradpack/core';
import { copyCases, fillCases, mapCases, reduceCases } from './cases/elementwise-cases.js';
import { expressionCases } from './cases/expression-cases.js';
import { gramCases } from './cases/gram-cases.js';
import { inPlaceCases } from './cases/in-place-cases.js';
import { flagCases, gatherRowsCases, indexCases } from './cases/index-cases.js';
import { outerCases } from './cases/outer-cases.js';
import { poolingCases } from './cases/pooling-cases.js';
import { convolutionCases, gemmCases } from './cases/product-cases.js';
import { programCases } from './cases/program-cases.js';
import { categoricalCases, randomCases } from './cases/random-cases.js';
import type { ConformanceCase } from './conformance-case.js';
import { drawFrom } from './draw.js';

/**
 * Every kernel on random and degenerate shapes; `random` is uniform in [0, 1) and seeds the data. The same for every backend, and more
 * for one whose limits promise more.
 */
export function conformanceCases(
  random: () => number,
  { mapsInPlace = false }: Pick<BackendLimits, 'mapsInPlace'> = {},
): readonly ConformanceCase[] {
  const draw = drawFrom(random);
  return [
    fillCases,
    copyCases,
    mapCases,
    expressionCases,
    reduceCases,
    gemmCases,
    convolutionCases,
    poolingCases,
    indexCases,
    gatherRowsCases,
    randomCases,
    categoricalCases,
    flagCases,
    outerCases,
    gramCases,
    programCases,
    ...(mapsInPlace ? [inPlaceCases] : []),
  ].flatMap((cases) => cases(draw));
}
