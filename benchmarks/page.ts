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
gets the same weights, data and sampled labels, and was timed only after its results agreed to 1e-4 of their largest entry.

- ${machineLine(machine)}.
- ${versionLine(versions)}.
- Native and Python have two threads; \`gradpack/cpu\` (plain TypeScript) and the peers in JavaScript (WebAssembly) have one.

## GradPack beside BackPACK

The time of \`gradpack/native\` as a multiple of BackPACK's, for the gradient alone of PyTorch's: 0.1 is ten times as fast.

${overview(rows)}

${others.map(elsewhere).join('\n')}
${PROBLEMS.map(({ name, description }) => section(name, description, rows)).join('\n')}
## What limits it

- *Convolutions* (3c3d, 2c2d, allcnnc) are computed by minimal filtering where that is less work, forward, backward and in the outer
  products (see [the native backend](/guide/native-backend#convolutions)): two to three times as fast as plain sums, which were at the
  processor's peak. What is left of their steps beside products is memory: pooling, ReLU and padding of all columns.
- *Multiples of the own gradient* are therefore not small where the gradient became faster than the quantity: what is only summed over
  samples is transformed back once, individual gradients one by one. Of BatchGrad on 3c3d the rest is the writing of 114 MB. In
  multiples of PyTorch's gradient everything became cheaper.
- *Products with a vector on mlp* took 0.46 to 0.57 of BackPACK's time with avx512 when these tables were made: both compute the same
  four products of 128 × 128 × 784. Since then rows are packed by a few instructions each, the packing of few rows is shared evenly,
  results of products are not filled before they are written, and steps are timed on the built packages (tsx adds 30 µs to each): with
  avx2 that makes 0.34, measured for 10 s. What is left are products at 84 to 87 of 92 GFLOP/s a core.
- *Exact diagonals of 2c2d* took 0.38 to 0.62 of BackPACK's time with avx2, from run to run on a machine that others use too; with
  avx512 0.38. Half of the step are outer products, at 150 GFLOP/s of 184.
- *Gradients of mlp* beside PyTorch's: two such products, equally fast in both.
- *Memory*: norms, moments and diagonals hold 1.0 to 1.5 times what the gradient alone holds. Exact diagonals of mlp hold 1.8 times of
  it, 1 MB more; smaller passes of columns would save that and take 15 to 20 % longer.

## How it is measured

- In turns, A B A B, at least three rounds; \`ms\` is the median of all steps, \`min\` the fastest. The multiples compare medians
  of the same rounds, in which the gradient alone is timed too.
- \`and read\`: the median with all results in typed arrays that the caller may keep, where jax-js or tfjs take part, by each library's
  own way: \`take()\` of GradPack, which like jax-js's \`data()\` ends the array on the device, \`data()\` of tfjs. GradPack's loop
  gives the arrays back by \`recycle\`, the others' drop them; garbage collection is part of the time.
- \`MB\`: for GradPack what the backend holds after a step (parameters, results, working memory, what it keeps for the next), for
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
