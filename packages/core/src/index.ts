// Backends: the contract, programs and kernels
export type {
  Backend,
  BackendLimits,
  BackendMemory,
  Prepared,
  RunOptions,
  Storage,
  StorageRange,
} from './backend/backend.js';
export type { BinaryOp, Expression, ExpressionProgram, Instruction, UnaryOp } from './backend/expression.js';
export * as expression from './backend/expression.js';
export { compileExpression } from './backend/expression.js';
export { type JobQueue, jobQueue } from './backend/job-queue.js';
export type {
  ConvolutionSpec,
  FactorSpec,
  IndexSpec,
  Kernel,
  KernelCall,
  Lane,
  MatrixView,
  Operand,
  OuterRequest,
  OuterSpec,
  OuterTerm,
} from './backend/kernel-call.js';
export type { GemmSpec, Kernels, Request, Stream } from './backend/kernels.js';
export type { Program, ProgramBuffer, ProgramSlot } from './backend/program.js';
export { Recorder } from './backend/recorder.js';
export { type Recorded as RecordedProgram, Recording } from './backend/recording.js';
export type { RecordedBuffer, TensorRef } from './backend/tensor-ref.js';
export { type TimeSlice, timeSlice } from './backend/time-slice.js';
export { positionAlong, positionTable, type Window } from './backend/window.js';
// Derivatives: what a layer tells the engine
export {
  blockOf,
  columnsOf,
  type DenseFactor,
  type Factor,
  featuresFirst,
  featuresLast,
  mergeGroups,
  samplesOf,
  type UnfoldedFactor,
  unfolded,
} from './derivatives/factor.js';
export type { Linearization, Maybe, Pulled, Tangents, Want } from './derivatives/linearization.js';
export { pieces, type Range } from './derivatives/range.js';
export type { CommonUse, CustomUse, LookupUse, MatrixUse, ScaleUse, ShiftUse, Term, Use } from './derivatives/use.js';
// The engine
export { type ExtendOptions, extend } from './engine/extend.js';
export type { NetInput } from './engine/host-input.js';
export { type BackwardOptions, Net } from './engine/net.js';
export type { PerParameter } from './engine/per-parameter.js';
export { recycle, type Taken } from './engine/recycle.js';
export type { Host, Results } from './engine/results.js';
export type { ReadStep, StepBase } from './engine/step.js';
export type { Summary, SummaryLayer } from './engine/summary.js';
export type { Quantities, Step, Supported } from './engine/supported.js';
// Errors and warnings
export { ERROR_CODES, type ErrorCode } from './errors/codes.js';
export { type ErrorParts, GradPackError } from './errors/gradpack-error.js';
export { silence, type WarningName } from './errors/warn.js';
// Value functions
export * from './functions/index.js';
// Losses
export { type BoundLoss, type FactorForm, type Loss, loss, type SampledDraws, type TargetSpec } from './loss/loss.js';
// Modules
export { type Buffer, buffer } from './module/buffer.js';
export type { Initializer } from './module/initializer.js';
export {
  type Carry,
  isLayer,
  type Layer,
  type LayerDefinition,
  LINEAR_TRAITS,
  type LinearizeContext,
  layer,
  type Mode,
  type Traits,
  type UsesOf,
} from './module/layer.js';
export { type LayersOf, Module } from './module/module.js';
export { type Parameter, parameter } from './module/parameter.js';
export type { StateDict } from './module/state-dict.js';
export type { Node, Tape } from './module/tape.js';
export type { Calls, Value } from './module/value.js';
// Quantities and the registry
export type { ProductFunction } from './quantity/product-function.js';
export {
  type FormOf,
  type ProductMode,
  type Quantity,
  type QuantityKind,
  type QuantityName,
  quantity,
  quantityKind,
  type Recorded,
  type Rule,
  type RuleContext,
  type RulesOf,
  type RuleTable,
  type ValueOf,
} from './quantity/quantity.js';
export { type Reduction, reductionShape } from './quantity/reduction.js';
export {
  type LayerKind,
  type LayerSet,
  layerKind,
  layerSet,
  type Missing,
  type Pair,
  type QuantitySet,
  quantitySet,
  type Registry,
  type RuleSet,
  registry,
  rulesFor,
  type Support,
  type Supports,
} from './quantity/registry.js';
export { type RowOptions, rowsOf } from './quantity/rows.js';
// Randomness
export { hash, philox, uniformOf } from './random/philox.js';
// Signals
export type { AtLoss, Signal } from './signal/signal.js';
export { exactFactor, gradient, hessian, type SampledOptions, sampledFactor } from './signal/signals.js';
export type { Columns, Cross, Source } from './signal/source.js';
// Tensors
export {
  bytesPerElement,
  type Dtype,
  type Precision,
  type TypedArray,
  typedArray,
  typedArrayOf,
} from './tensor/dtype.js';
export type { ArrayInput, FlatArray, HostArray, Nested } from './tensor/host-array.js';
export type { NumberArray } from './tensor/number-array.js';
export { type Shape, sameShape, showShape, sizeOf, stridesOf } from './tensor/shape.js';
export { isTensor, type Tensor, tensor, tensorAt } from './tensor/tensor.js';
export { type CoreToken, VERSION } from './version.js';
