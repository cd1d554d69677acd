import type { Implementation } from '../implementation.js';
import { gradpackCpu, gradpackNative } from './gradpack.js';
import { jaxJs } from './jax-js.js';
import { backpack, torch, torchFunc } from './python.js';
import { tfjs } from './tfjs.js';

/** The first that runs is what the others are compared with. */
export const OWN: readonly Implementation[] = [gradpackCpu, gradpackNative];

/** What is installed apart, by `npm run bench:peers`. */
export const PEERS: readonly Implementation[] = [torch, torchFunc, backpack, jaxJs, tfjs];
