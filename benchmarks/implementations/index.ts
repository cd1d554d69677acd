import type { Implementation } from '../implementation.js';
import { gradpackCpu, gradpackNative } from './gradpack.js';

/** The first that runs is what the others are compared with. */
export const IMPLEMENTATIONS: readonly Implementation[] = [gradpackCpu, gradpackNative];
