import type { ErrorCode } from './codes.js';

/** What an error says beside its code and first line. */
export interface ErrorParts {
  /** The function that was called: `net.backward`. */
  readonly where: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  /** What to do about it. */
  readonly fix: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error class. `message` is the whole text: what happened, where, what was expected, what came, what to do.
 *
 * @example
 * try { await net.backward(x, y) } catch (e) { if (e instanceof GradPackError && e.code === 'GRADPACK-SHAPE') console.log(e.fix) }
 */
export class GradPackError extends Error {
  override readonly name = 'GradPackError';
  readonly code: ErrorCode;
  readonly where: string;
  readonly fix: string;
  /** Data about the error; `expected` and `got` where input is wrong. */
  readonly detail: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(code: ErrorCode, what: string, { where, expected, got, fix, detail, cause }: ErrorParts) {
    const lines = [`${code}: ${what}`, `  where: ${where}`];
    if (expected !== undefined) lines.push(`  expected: ${String(expected)}`);
    if (got !== undefined) lines.push(`  got: ${String(got)}`);
    lines.push(`  fix: ${fix}`);
    super(lines.join('\n'), cause === undefined ? undefined : { cause });
    this.#what = what;
    this.code = code;
    this.where = where;
    this.fix = fix;
    this.detail = { ...(expected === undefined ? {} : { expected }), ...(got === undefined ? {} : { got }), ...detail };
  }

  /** The same error at a place that the caller knows by a better name. */
  at(where: string): GradPackError {
    const { code, fix, detail, cause } = this;
    return new GradPackError(code, this.#what, {
      ...detail,
      where,
      fix,
      detail,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
