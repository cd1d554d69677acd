import type { Problem } from '../problem.js';
import { threeC3D } from './3c3d.js';
import { mlp } from './mlp.js';

export const PROBLEMS: readonly Problem[] = [mlp, threeC3D];
