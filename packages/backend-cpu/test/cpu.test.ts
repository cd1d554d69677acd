import { compileExpression, expression, type Program } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../src/array-pool.js';
import { cpu } from '../src/index.js';

/** y = 2x through a scratch slot, `rounds` times. */
function doubling(length: number, rounds: number): Program {
  const double = {
    shape: [length],
    inputs: [{ strides: [1], dtype: 'float32' as const }],
    to: [1],
    expression: compileExpression(expression.mul(expression.input(0), 2)),
    accumulate: false,
  };
  const at = (buffer: number) => [{ buffer, offset: 0 }];
  const calls = Array.from({ length: rounds }, () => [
    { kernel: 'map' as const, spec: double, reads: at(0), writes: at(1) },
    {
      kernel: 'copy' as const,
      spec: { dtype: 'float32' as const, shape: [length], from: [1], to: [1], accumulate: false },
      reads: at(1),
      writes: at(2),
    },
  ]).flat();
  const float = { dtype: 'float32' as const, length, first: 0, last: calls.length - 1 };
  return {
    buffers: [
      { ...float, role: 'input' },
      { ...float, role: 'scratch', slot: 0 },
      { ...float, role: 'result' },
    ],
    slots: [{ dtype: 'float32', length }],
    calls,
    bytes: { scratch: length * 4, kept: 0, results: length * 4 },
  };
}

function bound(rounds: number, length = 4) {
  const backend = cpu();
  const prepared = backend.prepare(doubling(length, rounds));
  const [x, y] = [backend.allocate('float32', length), backend.allocate('float32', length)];
  backend.write(x, new Float32Array(length).fill(3));
  return { backend, prepared, x, y, bindings: [x, undefined, y] };
}

describe('cpu', () => {
  it('runs a short program at once, without a promise', () => {
    const { backend, prepared, y, bindings } = bound(1);
    expect(backend.run(prepared, bindings)).toBeUndefined();
    expect(Array.from(backend.view!({ storage: y, offset: 1, length: 2 }))).toEqual([6, 6]);
  });

  it('lets the event loop turn during a long one', async () => {
    const { backend, prepared, bindings } = bound(300, 40_000);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const running = backend.run(prepared, bindings);
    expect(running).toBeInstanceOf(Promise);
    await running;
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('stops between calls when aborted, gives its scratch back and runs on', async () => {
    const { backend, prepared, y, bindings } = bound(300, 40_000);
    const controller = new AbortController();
    const running = backend.run(prepared, bindings, { abort: controller.signal });
    const after = backend.run(prepared, bindings);
    controller.abort('enough');
    await expect(running).rejects.toBe('enough');
    await after;
    expect(backend.view!({ storage: y, offset: 0, length: 1 })[0]).toBe(6);
    expect(backend.memory().pooled).toBe(bucketOf(40_000) * 4);
  });

  it('fills what is undefined with NaN when poisoned', async () => {
    const backend = cpu({ poison: true });
    const floats = backend.allocate('float32', 3);
    const ids = backend.allocate('int32', 2);
    expect(Array.from(backend.view!({ storage: floats, offset: 0, length: 3 }))).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect(Array.from(backend.view!({ storage: ids, offset: 0, length: 2 }))).toEqual([-1, -1]);
  });

  it('keeps released memory for reuse, rounded up by at most a quarter', () => {
    const backend = cpu();
    backend.release(backend.allocate('float32', 1000));
    expect(backend.memory()).toEqual({ live: 0, pooled: 4096, plans: 0 });
    backend.allocate('float32', 1020);
    expect(backend.memory()).toEqual({ live: 4080, pooled: 0, plans: 0 });
    for (const length of [1, 5, 9, 1000, 1025, 123_457]) expect(bucketOf(length) / length).toBeLessThanOrEqual(1.25);
  });

  it('takes its memory limit from the option', () => {
    expect(cpu({ memory: 1e6 }).limits.memory).toBe(1e6);
    expect(cpu().limits.memory).toBeGreaterThan(0);
  });
});

describe('errors of cpu', () => {
  const message = async (action: () => unknown): Promise<string> => {
    try {
      await action();
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };

  it('too much memory', async () => {
    expect(await message(() => cpu().allocate('float32', 2 ** 45))).toBe(
      [
        'GRADPACK-OUT-OF-MEMORY: the cpu has no memory for 140737488355328 bytes',
        '  where: backend.allocate',
        '  expected: a size that the memory of this machine and the runtime allow',
        '  got: 140737488355328 bytes',
        '  fix: use smaller batches, fewer results for each sample or a smaller memoryLimit, and dispose steps that are not read any more',
      ].join('\n'),
    );
  });

  it('a disposed backend', async () => {
    const backend = cpu();
    backend.dispose();
    expect(await message(() => backend.allocate('float32', 1))).toBe(
      [
        'GRADPACK-DISPOSED: the cpu backend was disposed',
        '  where: backend.allocate',
        '  expected: a backend that is alive',
        '  got: a disposed backend',
        '  fix: make a new one with cpu(), and dispose it after the last step',
      ].join('\n'),
    );
  });

  it('storage of another backend, released storage, a binding that does not fit', async () => {
    const { backend, prepared, x, y, bindings } = bound(1);
    const foreign = cpu().allocate('float32', 4);
    expect(await message(() => backend.run(prepared, [foreign, undefined, y]))).toContain('GRADPACK-MIXED-BACKENDS');
    expect(await message(() => backend.run(prepared, [undefined, undefined, y]))).toContain(
      'GRADPACK-INTERNAL: buffer 0 (input)',
    );
    backend.release(x);
    expect(await message(() => backend.run(prepared, bindings))).toContain(
      'GRADPACK-DISPOSED: storage was used after its release',
    );
    expect(await message(() => backend.release(x))).toContain('GRADPACK-DISPOSED');
  });

  it('a disposed program', async () => {
    const { backend, prepared, bindings } = bound(1);
    prepared.dispose();
    expect(await message(() => backend.run(prepared, bindings))).toContain(
      'GRADPACK-DISPOSED: a program ran after it was disposed',
    );
  });
});
