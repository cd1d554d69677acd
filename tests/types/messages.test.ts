import ts from 'typescript';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const file = `${root}tests/types/snippet.ts`;

const preamble = `
import { cpu } from '@gradpack/backend-cpu';
import { extend, type Layer, layerKind, layerSet, type Loss, quantityKind, quantitySet, registry, rulesFor } from '@gradpack/core';
import { batchGrad, batchL2Grad } from '@gradpack/extensions-firstorder';
import { diagHessian, hessianVectorProduct, type KFAC, kfac } from '@gradpack/extensions-secondorder';
import { type Conv2d, linear, relu, sequential } from '@gradpack/layers';
import { mseLoss } from '@gradpack/losses';
import { type Fourier, fourier } from '../third-party/fourier-layer/src/index.js';
declare const opaque: Layer<'acme/opaque', never, 'columns'>;
declare const firstOnly: Loss<'columns'>;
const on = { backend: cpu() };
const plain = await extend(sequential(linear(2, 2)), mseLoss(), on);
const waves = await extend(sequential(linear(2, 2), fourier(2)), mseLoss(), on);
const through = await extend(sequential(linear(2, 2), opaque), mseLoss(), on);
const underLoss = await extend(sequential(linear(2, 2)), firstOnly, on);
const x = [[1, 2]];
const table = registry(layerSet(linear(1, 1), relu()), quantitySet(kfac));
const step = await plain.backward(x, x, { perSample: batchGrad(), curvature: kfac() });
`;

const { config } = ts.readConfigFile(`${root}tsconfig.test.json`, ts.sys.readFile);
const parsed = ts.parseJsonConfigFileContent({ ...config, files: [], include: [], references: [] }, ts.sys, root);
const { tsBuildInfoFile: _, ...options } = { ...parsed.options, incremental: false };
const host = ts.createCompilerHost(options);
/** What tsc says of each snippet, with the text that it marks. */
function messages(snippets: readonly string[]): readonly { readonly snippet: string; at: string; says: string }[] {
  const text = preamble + snippets.join('\n');
  const { getSourceFile, fileExists } = host;
  const program = ts.createProgram({
    rootNames: [file],
    options,
    host: {
      ...host,
      fileExists: (name) => name === file || fileExists(name),
      getSourceFile: (name, ...rest) =>
        name === file
          ? ts.createSourceFile(name, text, ...(rest.slice(0, 1) as [ts.ScriptTarget]))
          : getSourceFile(name, ...rest),
    },
  });
  const first = preamble.split('\n').length - 1;
  const source = program.getSourceFile(file)!;
  return program.getSemanticDiagnostics(source).map(({ start = 0, length = 0, messageText }) => ({
    snippet: snippets[source.getLineAndCharacterOfPosition(start).line - first] ?? 'the preamble',
    at: text.slice(start, start + length),
    says: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }));
}

const TAKEN = 'is not assignable to type';
/** A snippet, the text that tsc marks, and all that it says. */
const cases: readonly (readonly [snippet: string, at: string, says: string])[] = [
  [
    `await waves.backward(x, x, { g: batchGrad(), curvature: kfac() });`,
    'curvature',
    `Type 'KFAC' ${TAKEN} '"no rule for kfac of acme/fourier.acme/frequency"'.`,
  ],
  [
    `await through.backward(x, x, { g: batchGrad(), curvature: diagHessian() });`,
    'curvature',
    `Type 'DiagHessian' ${TAKEN} '"diagHessian needs curvature through acme/opaque"'.`,
  ],
  [
    `await through.backward(x, x, { hvp: hessianVectorProduct() });`,
    'hvp',
    `Type 'HessianVectorProduct' ${TAKEN} '"hessianVectorProduct needs product through acme/opaque"'.`,
  ],
  [
    `await underLoss.backward(x, x, { curvature: diagHessian() });`,
    'curvature',
    `Type 'DiagHessian' ${TAKEN} '"diagHessian needs curvature from the loss"'.`,
  ],
  [
    `await plain.backward(x, x, { loss: batchGrad() });`,
    'loss',
    `Type 'BatchGrad' ${TAKEN} '"the name loss is taken"'.`,
  ],
  [
    `await plain.backward(x, x, { norms: batchL2Grad });`,
    'batchL2Grad',
    `Type 'QuantityKind<BatchL2Grad, []>' is missing the following properties from type 'Quantity<string, unknown, string, Carry>': key, '~core'`,
  ],
  [
    `step.squares;`,
    'squares',
    `Property 'squares' does not exist on type 'Step<{ perSample: BatchGrad; curvature: KFAC; }>'.`,
  ],
  [
    `step.curvature.get('0.weight').inputs;`,
    'inputs',
    `Property 'inputs' does not exist on type 'KroneckerFactors'. Did you mean 'input'?`,
  ],
  [
    `kfac({ mcSamples: 3 });`,
    'mcSamples',
    `Object literal may only specify known properties, but 'mcSamples' does not exist in type 'SamplingOptions'. Did you mean to write 'samples'?`,
  ],
  [
    `await plain.backward(x, x, {}, { onMising: 'skip' });`,
    'onMising',
    `Object literal may only specify known properties, but 'onMising' does not exist in type 'BackwardOptions'. Did you mean to write 'onMissing'?`,
  ],
  [
    `rulesFor(layerKind<Fourier>('acme/fourier'), quantityKind<KFAC>('kfac'), { 'acme/frequency': { add: () => 1 } });`,
    '1',
    `Type 'number' ${TAKEN} '{ readonly output: TensorRef; readonly input?: TensorRef; }'.`,
  ],
  [
    `layerKind<Conv2d>('linear');`,
    `'linear'`,
    `Argument of type '"linear"' is not assignable to parameter of type '"conv2d"'.`,
  ],
  [
    `table.lookup('conv4d', 'kfac');`,
    `'conv4d'`,
    `Argument of type '"conv4d"' is not assignable to parameter of type '"linear" | "relu"'.`,
  ],
  [
    `sequential(relu()).layers[1];`,
    '1',
    `Tuple type 'readonly [Elementwise<"relu">]' of length '1' has no element at index '1'.`,
  ],
];

test('tsc says it in one readable line at the offending key', () => {
  const snippets = cases.map(([snippet]) => snippet);
  const found = messages(snippets);
  expect(found).toEqual(cases.map(([snippet, at, says]) => ({ snippet, at, says })));
  // tsc prints other characters as escapes
  expect(found.every(({ says }) => /^[\x20-\x7e]+$/.test(says))).toBe(true);
});
