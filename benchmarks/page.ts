import { aimsTable } from './aims.js';
import { PROBLEMS } from './problems/index.js';
import { QUANTITIES, type QuantityName } from './quantities.js';
import type { Machine, Results, Row } from './results.js';
import { markdown, medianOf, multiple, tableOf } from './table.js';

/** The page `docs/guide/benchmarks.md`: all tables of the first machine, the overview of the others. */
export function benchmarksPage(first: Results, ...others: readonly Results[]): string {
  const { machine, versions, rows } = first;
  return `---
order: 80
---
# Benchmarks

<!-- Made from benchmarks/results by benchmarks/page.ts: npm test -- --project across benchmarks -u -->

What one step costs: the gradient of the mean cross-entropy *and* the quantity, until they are computed. Every implementation
gets the same weights, data and sampled labels, and was timed only after its results agreed to 1e-4 of their largest entry (BackPACK's norms to 4e-4).

- ${machineLine(machine)}.
- ${versionLine(versions)}.
- Native and Python have two threads; \`gradpack/cpu\` (plain TypeScript) and the peers in JavaScript (WebAssembly) have one.

## GradPack beside BackPACK

The time of \`gradpack/native\` as a multiple of BackPACK's, for the gradient alone of PyTorch's: 0.1 is ten times as fast.

${overview(rows)}

${others.map(elsewhere).join('\n')}
${PROBLEMS.map(({ name, description }) => section(name, description, rows)).join('\n')}
## What was aimed for

The aims of 3c3d were set when the gradient took as long as plain sums at the processor's peak, 0.7 of PyTorch's at most. Minimal
filtering halved that gradient, so the multiples of it no longer say how fast a quantity is; the multiples of PyTorch's do.

${aimsTable([first, ...others].map(({ machine, rows: own }) => ({ name: machine.vectors ?? machine.processor, rows: own })))}

- *First order*: what it costs beyond the gradient is at most a sixth of what it costs BackPACK beyond PyTorch's with avx512, on every
  problem, and at most a quarter with avx2 (the aim). BatchGrad writes 114 MB, which takes 3 to 5 ms; SumGradSquared and Variance bring
  each sample back from its points, where the gradient alone brings back their sum.
- *KFAC*: of the 7 ms that it adds with avx512, 5 are the Gram matrices of unfolded images, by autocorrelation (18 of 57 ms with avx2).
  *KFLR* carries ten columns instead of two: 13 of 37 ms to pull them through convolutions, 9 for ReLU and pools, 7 for Gram matrices.
- *DiagGGNExact*: half of it (26 of 53 ms) are outer products of nine columns for every sample, whose squares are taken after each is
  brought back from its points; 12 ms pull the columns through, and 11 are ReLU and pools, at the speed of memory.
- *Matrix products* (\`npm run bench:products\`), beside the register tile in L1, which runs at the peak: with avx512 512³ at 92 % and 1024³
  at 89 % with one thread, 93 and 90 % with two (the aim was 85 %). With avx2, on a machine whose caches others use too, at 72 to 89 %
  and 61 to 83 %: packing takes 5 %, the rest is waiting for L2. 512 steps a block in place of 384 made 1024³ a tenth faster there;
  smaller blocks of rows made no difference.
- *Individual gradients of mlp, read*: 71 times (avx512) and 119 times (avx2) as fast as jax-js's (the aim was 40).

## What limits it

- *Convolutions* (3c3d, 2c2d, allcnnc) are computed by minimal filtering where that is less work, forward, backward and in the outer
  products (see [the native backend](/guide/native-backend#convolutions)): two to three times as fast as plain sums, which were at the
  processor's peak. What is left of their steps beside products is memory: pooling, ReLU and padding of all columns.
- *Multiples of the own gradient* are therefore not small where the gradient became faster than the quantity: what is only summed over
  samples is transformed back once, individual gradients one by one. Of BatchGrad on 3c3d the rest is the writing of 114 MB. In
  multiples of PyTorch's gradient everything became cheaper.
- *Linear layers* (logreg, mlp) beside PyTorch's: its matrix products use vectors of half the width on this processor, 110 of 250 GFLOP/s
  a core; its convolutions use the full width. On the machine with avx2 both have the same width.
- *Exact diagonals of 2c2d* took 0.38 to 0.62 of BackPACK's time with avx2, from run to run on a machine that others use too; with
  avx512 0.30. Half of the step are outer products. Since those tables their factors are made in smaller batches that stay in L2, a tenth
  faster with avx512; with avx2 that was not measured again.
- *Memory*: norms, moments and diagonals hold 1.0 to 1.5 times what the gradient alone holds. Exact diagonals of mlp and logreg hold 1.8
  and 1.6 times of it, 1.7 and 0.6 MB more; smaller passes of columns would save that and take 15 to 20 % longer.

## How it is measured

- In turns, A B A B, at least three rounds; \`ms\` is the median of all steps, \`min\` the fastest. The multiples compare medians
  of the same rounds, in which the gradient alone is timed too.
- \`and read\`: the median with all results in typed arrays that the caller may keep, where jax-js or tfjs take part, by each library's
  own way: \`take()\` of GradPack, which like jax-js's \`data()\` ends the array on the device, \`data()\` of tfjs. GradPack's loop
  gives the arrays back by \`recycle\`, the others' drop them; garbage collection is part of the time.
- \`MB\`: for GradPack what the backend holds after a step (parameters, results, memory that kernels work in, what it keeps for the next), for
  Python by how much the process grows at most from before weights and data were loaded, for tfjs the peak of its tensors.
- A product is a step with one multiplication by the whole matrix. Sampled quantities take one sample, for BackPACK a given one
  too, so that results can be compared; drawing is not in its times.
- Quantities that an implementation lacks, or for which it would take too long, are left out.

\`\`\`sh
npm run bench:peers                                      # once: PyTorch, BackPACK, jax-js and tfjs, into a folder of their own
npm run bench -- --json benchmarks/results/avx512.json   # everything; --help says how to narrow it
npm test -- --project across benchmarks -u               # this page
\`\`\`
`;
}

function machineLine({ date, processor, cores, memoryBytes, platform, node, vectors }: Machine): string {
  return `${processor}${vectors ? ` with ${vectors}` : ''}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${platform}, Node ${node}, ${date}`;
}

function versionLine(versions: Results['versions']): string {
  const peers = Object.entries(versions).map((peer) => peer.join(' '));
  return peers.length > 0 ? peers.join(', ') : 'Without peers';
}

function elsewhere({ machine, versions, rows }: Results): string {
  return `The same on another machine: ${machineLine(machine)}; ${versionLine(versions)}.\n\n${overview(rows)}\n`;
}

function overview(rows: readonly Row[]): string {
  const head = ['quantity', ...PROBLEMS.map(({ name }) => name)];
  const cell = (problem: string, quantity: QuantityName): string => {
    const own = rows.filter((row) => row.problem === problem);
    const peer = medianOf(own, quantity, quantity === 'gradient' ? 'torch' : 'backpack');
    return multiple(medianOf(own, quantity, 'gradpack/native'), peer);
  };
  const body = QUANTITIES.map((quantity) => [quantity, ...PROBLEMS.map(({ name }) => cell(name, quantity))]);
  return markdown([head, head.map((_, i) => (i === 0 ? ':-' : '-:')), ...body]);
}

function section(problem: string, description: string, rows: readonly Row[]): string {
  const own = rows.filter((row) => row.problem === problem);
  return own.length === 0 ? '' : `## ${problem}\n\n${description}\n\n${tableOf(own)}\n`;
}
