export { type BehaviourCheck, backendBehaviour } from './backend-behaviour.js';
export { type CaseRecorder, type ConformanceCase, call, recordCase } from './conformance-case.js';
export { conformanceCases } from './conformance-cases.js';
export { type Draw, drawFrom } from './draw.js';
export { referenceRun } from './reference/reference-run.js';
export { type Comparison, programIn, runCase } from './run-case.js';
export { worstError } from './worst-error.js';
