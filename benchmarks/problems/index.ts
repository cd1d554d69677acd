import type { Problem } from '../problem.js';
import { twoC2D } from './2c2d.js';
import { threeC3D } from './3c3d.js';
import { allCnnC } from './allcnnc.js';
import { logreg } from './logreg.js';
import { mlp } from './mlp.js';

export const PROBLEMS: readonly Problem[] = [logreg, mlp, twoC2D, threeC3D, allCnnC];
