/** Every code that a `GradPackError` can carry, with its meaning. */
export const ERROR_CODES = {
  'GRADPACK-SHAPE': 'a tensor, layer input or option has the wrong shape',
  'GRADPACK-DTYPE': 'a tensor has the wrong element type, or ids are not whole numbers',
  'GRADPACK-OPTION': 'an option has a value that makes no sense',
  'GRADPACK-INDEX': 'a class or token id is out of range',
  'GRADPACK-NOT-FINITE': 'NaN or infinity was met with checkFinite',
  'GRADPACK-UNSUPPORTED-PAIR': 'a quantity is not defined, or has no rule, for a layer, a loss or a composition',
  'GRADPACK-UNSUPPORTED-MODE': 'a layer does not work in this mode',
  'GRADPACK-DUPLICATE-PAIR': 'a pair was registered twice',
  'GRADPACK-LOSS-NOT-SCALAR': 'the loss does not reduce to one number',
  'GRADPACK-NO-RESULT': 'a step has no such result',
  'GRADPACK-STALE-STEP': 'parameters changed after the step',
  'GRADPACK-DISPOSED': 'a step, tensor or backend was used after it was disposed',
  'GRADPACK-MIXED-BACKENDS': 'tensors or parameters of two backends met',
  'GRADPACK-NO-BACKEND': 'no backend was given, or it is not available here',
  'GRADPACK-BACKEND-LOST': 'the device is gone',
  'GRADPACK-OUT-OF-MEMORY': 'more bytes are needed than allowed',
  'GRADPACK-UNNAMED-LAYER': 'a layer with parameters is not reachable through public fields',
  'GRADPACK-UNKNOWN-NAME': 'there is no parameter, buffer or layer of that name',
  'GRADPACK-TWO-CORES': 'two copies of @gradpack/core met',
  'GRADPACK-INTERNAL': 'a defect of GradPack, a layer or a backend',
} as const;

/** A code of `ERROR_CODES`. */
export type ErrorCode = keyof typeof ERROR_CODES;
