import type { Backend, ErrorCode, Prepared, Program, Storage, StorageRange, TypedArray } from '@gradpack/core';
import { compileExpression, expression, GradPackError } from '@gradpack/core';
import { recordCase } from './conformance-case.js';
import { programIn } from './run-case.js';

/** One promise of the `Backend` contract; `run` rejects, with what was expected and what came, where it is broken. */
export interface BehaviourCheck {
  readonly name: string;
  run(): Promise<void>;
}

type MakeBackend = () => Backend | Promise<Backend>;

/** What a backend promises beside its numbers: queue order, memory, failures. Each check makes a backend of its own and disposes it. */
export function backendBehaviour(makeBackend: MakeBackend): readonly BehaviourCheck[] {
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    async run() {
      const backend = await makeBackend();
      try {
        await check(backend);
      } finally {
        if (backend.state !== 'disposed') await backend.dispose();
      }
    },
  }));
}

function same(what: string, got: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

async function throws(what: string, code: ErrorCode, action: () => unknown): Promise<void> {
  const error = await failureOf(action);
  if (!(error instanceof GradPackError))
    throw new Error(`${what}: expected a GradPackError ${code}, got ${String(error)}`);
  same(what, error.code, code);
}

/** What the action throws or rejects with; undefined where it succeeds. */
async function failureOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error;
  }
}

const whole = (storage: Storage): StorageRange => ({ storage, offset: 0, length: storage.length });
const list = (array: TypedArray | undefined): readonly number[] => Array.from(array ?? []);

async function numbers(backend: Backend, storage: Storage): Promise<readonly number[]> {
  const [array] = await backend.read([whole(storage)]);
  return list(array);
}

function stored(backend: Backend, values: readonly number[]): Storage {
  const storage = backend.allocate(backend.precision, values.length);
  backend.write(storage, values);
  return storage;
}

/** Buffer 0 is read, buffer 1 becomes twice it plus 1, through a scratch slot; repeated `rounds` times. */
function twicePlusOne(backend: Backend, length: number, rounds = 1): Program {
  const record = recordCase();
  const x = record.input(new Array<number>(length).fill(0));
  const y = record.fresh(length, 'result');
  const scratch = record.scratch(length, 0);
  const one = record.constant([1]);
  const lanes = [
    { strides: [1], dtype: 'float64' as const },
    { strides: [0], dtype: 'float64' as const },
  ];
  for (let i = 0; i < rounds; i++) {
    record.call(
      'map',
      {
        shape: [length],
        inputs: lanes.slice(0, 1),
        to: [1],
        expression: compileExpression(expression.mul(expression.input(0), 2)),
        accumulate: false,
      },
      [x],
      [scratch],
    );
    record.call(
      'map',
      {
        shape: [length],
        inputs: lanes,
        to: [1],
        expression: compileExpression(expression.add(expression.input(0), expression.input(1))),
        accumulate: false,
      },
      [scratch, one],
      [y],
    );
  }
  return programIn(record.finish('2x + 1').program, backend.precision);
}

const bind = (prepared: Prepared, x: Storage, y: Storage): (Storage | undefined)[] =>
  prepared.program.buffers.map((buffer) => (buffer.role === 'input' ? x : buffer.role === 'result' ? y : undefined));

const CHECKS: Readonly<Record<string, (backend: Backend) => Promise<void>>> = {
  async 'reads copies of ranges, several at once'(backend) {
    const a = stored(backend, [0, 1, 2, 3, 4, 5]);
    const ids = backend.allocate('int32', 3);
    backend.write(ids, [7, 8, 9]);
    const got = await backend.read([
      { storage: a, offset: 1, length: 3 },
      { storage: ids, offset: 2, length: 1 },
      { storage: a, offset: 5, length: 1 },
      { storage: a, offset: 2, length: 0 },
    ]);
    same('ranges', got.map(list), [[1, 2, 3], [9], [5], []]);
    same('an int32 range is an Int32Array', got[1] instanceof Int32Array, true);
    same(
      'a float range has the precision of the backend',
      got[0] instanceof (backend.precision === 'float64' ? Float64Array : Float32Array),
      true,
    );
    (got[0] as TypedArray).fill(-1);
    same('a read is a copy', await numbers(backend, a), [0, 1, 2, 3, 4, 5]);
    same('a read of nothing', await backend.read([]), []);
  },

  async 'a read goes into the array that is given'(backend) {
    const a = stored(backend, [0, 1, 2, 3]);
    const Numbers = backend.precision === 'float64' ? Float64Array : Float32Array;
    const into = new Numbers(3).fill(9);
    const [got] = await backend.read([{ storage: a, offset: 1, length: 3, into }]);
    same('numbers', list(got), [1, 2, 3]);
    if (got === into) (got as TypedArray).fill(-1);
    same('it is a copy', await numbers(backend, a), [0, 1, 2, 3]);
  },

  async 'take reads and releases, where there is one'(backend) {
    if (!backend.take) return;
    const length = 20_000;
    const prepared = backend.prepare(twicePlusOne(backend, length, 20));
    const x = stored(backend, new Array<number>(length).fill(1));
    const [y, part, none] = [
      backend.allocate(backend.precision, length),
      stored(backend, [1, 2, 3]),
      stored(backend, [7]),
    ];
    const running = backend.run(prepared, bind(prepared, x, y));
    const taking = backend.take([
      whole(y),
      { storage: part, offset: 1, length: 2 },
      { storage: none, offset: 0, length: 0 },
    ]);
    for (const storage of [y, part, none]) {
      await throws('a read after take', 'GRADPACK-DISPOSED', () => backend.read([whole(storage)]));
      await throws('a second take', 'GRADPACK-DISPOSED', () => backend.take?.([whole(storage)]));
      await throws('a release after take', 'GRADPACK-DISPOSED', () => backend.release(storage));
    }
    const z = backend.allocate(backend.precision, length);
    const next = backend.run(prepared, bind(prepared, x, z));
    backend.write(x, [5]);
    const [taken, two, nothing] = await taking;
    same('what ran before', [taken?.length, ...new Set(taken)], [length, 3]);
    same('a part', [list(two), two?.buffer.byteLength], [[2, 3], two?.byteLength]);
    same('nothing', nothing?.length, 0);
    const [other] = await backend.take([whole(z)]);
    taken?.fill(-1);
    same('another storage', list(other?.subarray(0, 2)), [3, 3]);
    backend.write(x, new Array<number>(length).fill(2));
    const y2 = backend.allocate(backend.precision, length);
    await backend.run(prepared, bind(prepared, x, y2));
    same('the arrays are nobody else’s', [...new Set(taken), ...new Set(other)], [-1, 3]);
    await Promise.all([running, next]);
    for (const storage of [x, y2]) backend.release(storage);
    await backend.read([]);
    prepared.dispose();
    same('live bytes', backend.memory().live, 0);
    if (backend.recycle && taken && other) {
      backend.recycle(taken.buffer);
      const again = stored(backend, new Array<number>(length).fill(4));
      backend.recycle(taken.buffer);
      backend.recycle(new ArrayBuffer(8));
      same('others keep theirs', [...new Set(other), (await numbers(backend, again))[0]], [3, 4]);
      backend.release(again);
    }
    await throws('twice at once', 'GRADPACK-DISPOSED', () => {
      const twice = stored(backend, [1]);
      return backend.take?.([whole(twice), whole(twice)]);
    });
  },

  async 'write copies, converts and leaves the rest'(backend) {
    const ids = backend.allocate('int32', 5);
    backend.write(ids, [1.9, -1.9, 2, 3, 4]);
    backend.write(ids, Float64Array.of(9.5, 8));
    same('int32', await numbers(backend, ids), [9, 8, 2, 3, 4]);
    const floats = backend.allocate(backend.precision, 3);
    backend.write(floats, Int32Array.of(1, -2, 3));
    const source = Float64Array.of(0.1, 5);
    backend.write(floats, source);
    source.fill(77);
    same('floats', await numbers(backend, floats), [backend.precision === 'float32' ? Math.fround(0.1) : 0.1, 5, 3]);
    backend.write(floats, []);
    same('a write of nothing', (await numbers(backend, floats)).slice(1), [5, 3]);
  },

  async 'view shows the numbers without a copy, where there is one'(backend) {
    if (!backend.view) return;
    const a = stored(backend, [1, 2, 3, 4]);
    await backend.read([whole(a)]);
    same('view', list(backend.view({ storage: a, offset: 1, length: 2 })), [2, 3]);
  },

  async 'writes, runs and reads keep their order without being awaited'(backend) {
    const prepared = backend.prepare(twicePlusOne(backend, 3));
    const [x, y, z] = [stored(backend, [1, 2, 3]), stored(backend, [0, 0, 0]), stored(backend, [0, 0, 0])];
    const runs = [backend.run(prepared, bind(prepared, x, y))];
    const before = backend.read([whole(y)]);
    backend.write(x, [10, 20, 30]);
    runs.push(backend.run(prepared, bind(prepared, x, z)));
    runs.push(backend.run(prepared, bind(prepared, z, y)));
    const after = backend.read([whole(y), whole(z)]);
    same('read between two runs', (await before).map(list), [[3, 5, 7]]);
    same('read at the end', (await after).map(list), [
      [43, 83, 123],
      [21, 41, 61],
    ]);
    await Promise.all(runs);
  },

  async 'long runs keep their order too'(backend) {
    const length = 20_000;
    const prepared = backend.prepare(twicePlusOne(backend, length, 100));
    const x = stored(backend, new Array<number>(length).fill(1));
    const [y, z] = [backend.allocate(backend.precision, length), backend.allocate(backend.precision, length)];
    const runs = [backend.run(prepared, bind(prepared, x, y)), backend.run(prepared, bind(prepared, y, z))];
    const first = backend.read([{ storage: z, offset: length - 2, length: 2 }]);
    backend.write(x, [5]);
    backend.release(x);
    const other = stored(backend, new Array<number>(length).fill(9));
    runs.push(backend.run(prepared, bind(prepared, other, y)));
    const second = backend.read([{ storage: y, offset: 0, length: 1 }]);
    same('first', (await first).map(list), [[7, 7]]);
    same('second', (await second).map(list), [[19]]);
    await Promise.all(runs);
  },

  async 'storage that is released and taken again does not disturb what was queued before'(backend) {
    const prepared = backend.prepare(twicePlusOne(backend, 4));
    const x = stored(backend, [1, 1, 1, 1]);
    const y = backend.allocate(backend.precision, 4);
    const running = backend.run(prepared, bind(prepared, x, y));
    backend.release(x);
    const next = stored(backend, [9, 9, 9, 9]);
    same('result', await numbers(backend, y), [3, 3, 3, 3]);
    same('new storage', await numbers(backend, next), [9, 9, 9, 9]);
    await running;
  },

  async 'two prepared programs and two runs at once'(backend) {
    const [short, long] = [backend.prepare(twicePlusOne(backend, 2)), backend.prepare(twicePlusOne(backend, 2, 50))];
    const x = stored(backend, [1, 2]);
    const results = Array.from({ length: 4 }, () => backend.allocate(backend.precision, 2));
    await Promise.all(results.map((y, i) => backend.run(i % 2 ? short : long, bind(i % 2 ? short : long, x, y))));
    for (const y of results) same('result', await numbers(backend, y), [3, 5]);
  },

  async 'live bytes come back to zero, pooled bytes stop growing'(backend) {
    const size = backend.precision === 'float64' ? 8 : 4;
    same('at the start', backend.memory().live, 0);
    const prepared = backend.prepare(twicePlusOne(backend, 1000));
    let pooled = -1;
    for (let step = 0; step < 20; step++) {
      const [x, y] = [stored(backend, new Array<number>(1000).fill(1)), backend.allocate(backend.precision, 1000)];
      same('two storages', backend.memory().live >= 2000 * size, true);
      await backend.run(prepared, bind(prepared, x, y));
      await backend.read([whole(y)]);
      backend.release(x);
      backend.release(y);
      await backend.read([]);
      if (step === 9) pooled = backend.memory().pooled;
    }
    same('pooled bytes at steps 10 and 20', backend.memory().pooled, pooled);
    prepared.dispose();
    same('after release', backend.memory().live, 0);
  },

  async 'plans counts the prepared programs'(backend) {
    const start = backend.memory().plans;
    const [a, b] = [backend.prepare(twicePlusOne(backend, 2)), backend.prepare(twicePlusOne(backend, 3))];
    same('two prepared', backend.memory().plans - start, 2);
    a.dispose();
    same('one disposed', backend.memory().plans - start, 1);
    const [x, y] = [stored(backend, [1, 2, 3]), backend.allocate(backend.precision, 3)];
    await backend.run(b, bind(b, x, y));
    same('the other still runs', await numbers(backend, y), [3, 5, 7]);
    b.dispose();
    same('both disposed', backend.memory().plans, start);
  },

  async 'a program disposed while it is queued still runs'(backend) {
    const prepared = backend.prepare(twicePlusOne(backend, 2));
    const [x, y] = [stored(backend, [1, 2]), backend.allocate(backend.precision, 2)];
    const running = backend.run(prepared, bind(prepared, x, y));
    prepared.dispose();
    await running;
    same('result', await numbers(backend, y), [3, 5]);
  },

  async 'an aborted run rejects with the reason and leaves the backend usable'(backend) {
    const prepared = backend.prepare(twicePlusOne(backend, 2));
    const [x, y] = [stored(backend, [1, 2]), backend.allocate(backend.precision, 2)];
    const reason = new Error('enough');
    const controller = new AbortController();
    controller.abort(reason);
    const failure = await failureOf(() => backend.run(prepared, bind(prepared, x, y), { abort: controller.signal }));
    same('rejects with the reason', failure === reason, true);
    await backend.run(prepared, bind(prepared, x, y));
    same('the next run', await numbers(backend, y), [3, 5]);
    for (const storage of [x, y]) backend.release(storage);
    await backend.read([]);
    prepared.dispose();
    same('live bytes', backend.memory().live, 0);
  },

  async 'abort in the middle of a long run either comes too late or rejects with the reason'(backend) {
    const length = 30_000;
    const prepared = backend.prepare(twicePlusOne(backend, length, 400));
    const [x, y] = [stored(backend, new Array<number>(length).fill(1)), backend.allocate(backend.precision, length)];
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 5);
    const failure = await failureOf(() => backend.run(prepared, bind(prepared, x, y), { abort: controller.signal }));
    same('nothing else is thrown', failure === undefined || failure === reason, true);
    await backend.run(prepared, bind(prepared, x, y));
    same('the next run', (await numbers(backend, y)).at(-1), 3);
  },

  async 'progress grows up to the total'(backend) {
    const prepared = backend.prepare(twicePlusOne(backend, 30_000, 200));
    const [x, y] = [stored(backend, new Array<number>(30_000).fill(1)), backend.allocate(backend.precision, 30_000)];
    const shares: (readonly [number, number])[] = [];
    await backend.run(prepared, bind(prepared, x, y), { onProgress: (done, total) => void shares.push([done, total]) });
    for (const [i, [done, total]] of shares.entries()) {
      const grows = done >= (shares[i - 1]?.[0] ?? 0) && done <= total && total > 0;
      same(`report ${i} of ${JSON.stringify(shares)} grows`, grows, true);
    }
  },

  async 'too much memory is refused and the backend stays usable'(backend) {
    const before = backend.memory().live;
    await throws('absurd size', 'GRADPACK-OUT-OF-MEMORY', () => backend.allocate(backend.precision, 2 ** 47));
    same('live bytes', backend.memory().live, before);
    same('a small one', await numbers(backend, stored(backend, [1, 2])), [1, 2]);
  },

  async 'a disposed backend refuses everything'(backend) {
    const prepared = backend.prepare(twicePlusOne(backend, 2));
    const [x, y] = [stored(backend, [1, 2]), backend.allocate(backend.precision, 2)];
    await backend.dispose();
    same('state', backend.state, 'disposed');
    await throws('allocate', 'GRADPACK-DISPOSED', () => backend.allocate('int32', 1));
    await throws('write', 'GRADPACK-DISPOSED', () => backend.write(x, [1]));
    await throws('read', 'GRADPACK-DISPOSED', () => backend.read([whole(x)]));
    if (backend.take) await throws('take', 'GRADPACK-DISPOSED', () => backend.take?.([whole(x)]));
    await throws('prepare', 'GRADPACK-DISPOSED', () => backend.prepare(prepared.program));
    await throws('run', 'GRADPACK-DISPOSED', () => backend.run(prepared, bind(prepared, x, y)));
    backend.release(x);
    prepared.dispose();
    await backend.dispose();
  },

  async 'a backend disposed during a run does not hang'(backend) {
    const prepared = backend.prepare(twicePlusOne(backend, 30_000, 100));
    const [x, y] = [stored(backend, new Array<number>(30_000).fill(1)), backend.allocate(backend.precision, 30_000)];
    const outcome = failureOf(() => backend.run(prepared, bind(prepared, x, y)));
    await backend.dispose();
    const failure = await outcome;
    same(
      'it finished or said so',
      failure === undefined || (failure instanceof GradPackError && failure.code === 'GRADPACK-DISPOSED'),
      true,
    );
  },
};
