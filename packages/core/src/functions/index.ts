export { add } from './add.js';
export { ALL_CARRIES } from './carries.js';
export { concat } from './concat.js';
export { type LinearMap, linearMap } from './linear-map.js';
export { mul } from './multiply.js';
export { permute } from './permute.js';
export { reshape } from './reshape.js';
export { slice } from './slice.js';
export { sumColumns } from './sum.js';
