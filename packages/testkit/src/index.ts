export * from './conformance/index.js';
export { type CountingBackend, type Counts, countingBackend } from './counting/counting-backend.js';
export * from './net-spec.js';
export * from './random-net/index.js';
export * from './truth/index.js';
