import type { Carry } from '../module/layer.js';

/** What a layer with `pull`, `push`, and `pullTangent` or `residual` where it is curved or bilinear lets through. */
export const ALL_CARRIES: readonly Carry[] = ['columns', 'curvature', 'product', 'average'];
