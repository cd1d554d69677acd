import { ERROR_CODES, type ErrorCode, GradPackError } from '@gradpack/core';

const DEFECT = 'use packages of GradPack of one version, or report it as a defect';
const FIXES: Partial<Record<ErrorCode, string>> = {
  'GRADPACK-OUT-OF-MEMORY': 'use smaller batches, a smaller memoryLimit, or release what is not needed any more',
  'GRADPACK-MIXED-BACKENDS': 'read the numbers and write them to storage of this backend',
  'GRADPACK-DISPOSED': 'release storage and dispose programs once, after their last use',
};

/** What `action` returns; an error of the addon becomes a GradPackError. */
export function guarded<T>(where: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw failureOf(where, error);
  }
}

/** An error of the addon as a GradPackError; anything else as it is. */
export function failureOf(where: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof GradPackError || !('code' in error) || !isErrorCode(error.code))
    return error;
  const code = error.code;
  return new GradPackError(code, error.message, { where, fix: FIXES[code] ?? DEFECT, cause: error });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && code in ERROR_CODES;
}
