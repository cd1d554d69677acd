import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bringOwnCore, emptyProject, type Project, tarballs } from './project.js';

const LONG = 240_000;
/** Bytes of a small app, minified; 141 kB when this was written. */
const BUDGET = 150_000;
const fixture = (name: string): string => fileURLToPath(new URL(`../third-party/${name}`, import.meta.url));
const projects: Project[] = [];
const kept = (project: Project): Project => {
  projects.push(project);
  return project;
};
let files: Readonly<Record<string, string>>;
const named = (...names: readonly string[]): readonly string[] => names.map((name) => files[`@gradpack/${name}`]!);

beforeAll(async () => {
  files = await tarballs();
});
afterAll(async () => {
  await Promise.all(projects.map((project) => project.remove()));
});

describe('the tarballs in an empty project: types with every d.ts checked, and plain node', () => {
  let few: Project;
  beforeAll(async () => {
    few = kept(await emptyProject());
    await few.install(...named('core', 'backend-cpu', 'layers', 'losses', 'extensions-firstorder'));
  }, LONG);

  test(
    'first-order quantities need five packages',
    async () => {
      const { shape, norms } = (await few.run('selective')) as { shape: number[]; norms: number[] };
      expect(shape).toEqual([2, 4, 3]);
      expect(norms.every((norm) => norm > 0)).toBe(true);
    },
    LONG,
  );

  test(
    'third parties’ layer and quantity, which know core alone, work with everything',
    async () => {
      const project = kept(await few.copy());
      await project.install(
        ...named('extensions-secondorder'),
        await project.build(fixture('fourier-layer')),
        await project.build(fixture('third-moment')),
      );
      const { codes, third, cubes, factor } = (await project.run('third-party')) as {
        readonly codes: string[];
        readonly third: number[];
        readonly cubes: number[];
        readonly factor: number[];
      };
      expect(codes).toEqual(['GRADPACK-UNSUPPORTED-PAIR', 'GRADPACK-UNSUPPORTED-PAIR', 'GRADPACK-UNSUPPORTED-PAIR']);
      for (const [i, x] of third.entries()) expect(x).toBeCloseTo(cubes[i]!, 12);
      expect(factor).toEqual([4, 4]);
    },
    LONG,
  );

  test(
    'two versions of core type-check, and are told at run time',
    async () => {
      const project = kept(await few.copy());
      await bringOwnCore(project, '@gradpack/layers', '0.0.99');
      const told = (await project.run('two-cores')) as [string, string][];
      for (const [code, message] of told) {
        expect(code).toBe('GRADPACK-TWO-CORES');
        expect(message).toContain('0.0.99');
        expect(message).toMatch(/@gradpack\/core \d+\.\d+\.\d+ \(this copy\)/);
      }
    },
    LONG,
  );

  test(
    'gradpack brings everything',
    async () => {
      const project = kept(await emptyProject());
      // a platform's package can only be installed there
      await project.install(...Object.values(files).filter((file) => !/backend-native-(?!\d)/.test(file)));
      expect(await project.run('umbrella')).toEqual([
        [2, 4, 3],
        [4, 4],
      ]);
    },
    LONG,
  );

  test(
    'a bundle holds what the app uses and nothing else',
    async () => {
      const text = await few.bundle('bundled', { minify: true });
      const names = (name: string): boolean => new RegExp(`["'\`]${name}["'\`]`).test(text);
      for (const used of ['linear', 'relu', 'crossEntropyLoss', 'batchGrad']) expect(names(used), used).toBe(true);
      for (const unused of [
        'conv2d',
        'embedding',
        'batchNorm2d',
        'maxPool2d',
        'dropout',
        'mseLoss',
        'batchL2Grad',
        'kfac',
      ])
        expect(names(unused), unused).toBe(false);
      const bytes = Buffer.byteLength(text);
      console.log(`linear, relu, crossEntropyLoss, batchGrad and cpu: ${bytes} bytes minified`);
      expect(bytes).toBeLessThan(BUDGET);
    },
    LONG,
  );
});
