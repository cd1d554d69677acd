export * from './fourier.js';
export * from './rules.js';
