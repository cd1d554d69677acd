import { expect, it } from 'vitest';
import { choose, type Report, spiral, train, WRONG } from '../../docs/.vitepress/theme/live-training.js';

it('the live example finds the wrong labels, and leaves no memory behind', async () => {
  const { backend, reason } = await choose('cpu');
  expect(reason).toMatch(/^cpu/);
  const reports: Report[] = [];
  await train(backend, spiral(), { steps: 200, every: 100, report: (r) => reports.push(r), stop: () => false });
  expect(reports.map(({ step }) => step)).toEqual([0, 100, 200]);
  const { norms, loss, trace } = reports.at(-1)!;
  const largest = norms.map((_, n) => n).sort((a, b) => norms[b]! - norms[a]!);
  expect(new Set(largest.slice(0, WRONG.length))).toEqual(new Set(WRONG));
  expect(loss).toBeLessThan(0.2);
  expect(trace).toBeGreaterThan(0);
  expect(backend.memory().live).toBe(0);
});
