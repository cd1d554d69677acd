import { describe, expect, test } from 'vitest';
import type { Backend } from '../src/backend/backend.js';
import { LeastRecentlyUsed } from '../src/engine/lru.js';
import { queueOf } from '../src/engine/queue.js';

const make = () => queueOf({} as Backend);
/** A promise with its ends. */
function deferred<T>() {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  return { promise, resolve, reject };
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('the queue of a backend', () => {
  test('is one per backend', () => {
    const backend = {} as Backend;
    expect(queueOf(backend)).toBe(queueOf(backend));
    expect(queueOf(backend)).not.toBe(make());
  });
  test('what is done at once costs no turn', () => {
    expect(make().add(() => 3)).toBe(3);
  });
  test('two may be unfinished, the third waits', async () => {
    const queue = make();
    const [a, b] = [deferred<string>(), deferred<string>()];
    const log: string[] = [];
    const started = (name: string, result: unknown) => () => {
      log.push(name);
      return result as Promise<string>;
    };
    const first = queue.add(started('a', a.promise));
    queue.add(started('b', b.promise));
    const third = queue.add(started('c', 'C'));
    const fourth = queue.add(started('d', 'D'));
    expect(log).toEqual(['a', 'b']);
    b.resolve('B');
    await turn();
    expect(log).toEqual(['a', 'b', 'c', 'd']);
    expect(await third).toBe('C');
    expect(await fourth).toBe('D');
    a.resolve('A');
    expect(await first).toBe('A');
  });
  test('a failure stops nobody else', async () => {
    const queue = make();
    const a = deferred<void>();
    const failing = queue.add(() => a.promise);
    queue.add(() => deferred<void>().promise);
    const waiting = queue.add(() => {
      throw new Error('thrown late');
    });
    const last = queue.add(() => 4);
    a.reject(new Error('rejected'));
    await expect(failing).rejects.toThrow('rejected');
    await expect(waiting).rejects.toThrow('thrown late');
    expect(await last).toBe(4);
    expect(() =>
      make().add(() => {
        throw new Error('at once');
      }),
    ).toThrow('at once');
  });
  test('what is short keeps its place, also beside two that run', async () => {
    const queue = make();
    const [a, b] = [deferred<void>(), deferred<void>()];
    const log: string[] = [];
    queue.add(() => a.promise);
    queue.add(() => b.promise);
    queue.inOrder(() => log.push('free'));
    expect(log).toEqual(['free']);
    queue.add(() => log.push('c'));
    queue.inOrder(() => log.push('after c'));
    expect(log).toEqual(['free']);
    a.resolve();
    await turn();
    expect(log).toEqual(['free', 'c', 'after c']);
  });
  test('an open task takes what comes in the microtask, and closes before anything later', async () => {
    const queue = make();
    const log: string[] = [];
    const items = ['x'];
    const open = queue.addOpen(
      async () => {
        log.push(`read ${items}`);
        return [...items];
      },
      () => log.push('closed'),
    );
    items.push('y');
    queue.add(() => log.push('write'));
    items.push('too late');
    expect(log).toEqual(['closed', 'read x,y', 'write']);
    expect(await open).toEqual(['x', 'y']);
    const alone = queue.addOpen(
      async () => log.push('alone'),
      () => undefined,
    );
    expect(log).not.toContain('alone');
    await alone;
    expect(log).toContain('alone');
  });
});

describe('the cache of plans', () => {
  test('keeps what was used last, and gives the rest back once', () => {
    const gone: string[] = [];
    const cache = new LeastRecentlyUsed<string>(2, (value) => gone.push(value));
    let made = 0;
    const get = (key: string) =>
      cache.get(key, () => {
        made++;
        return key;
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) expect(get(key)).toBe(key);
    expect(made).toBe(4);
    expect(gone).toEqual(['b', 'c']);
    cache.clear();
    expect(gone).toEqual(['b', 'c', 'a', 'b']);
  });
  test('keeps nothing of what could not be made', () => {
    const cache = new LeastRecentlyUsed<number>(2, () => undefined);
    expect(() =>
      cache.get('a', () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(cache.get('a', () => 1)).toBe(1);
  });
});
