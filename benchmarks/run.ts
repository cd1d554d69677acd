import { writeFile } from 'node:fs/promises';
import { IMPLEMENTATIONS } from './implementations/index.js';
import { measure } from './measure.js';
import { HELP, type Options, parseOptions } from './options.js';
import { type Results, type Row, thisMachine } from './results.js';
import { tableOf } from './table.js';

async function main({ problems, quantities, json, seconds, help }: Options): Promise<void> {
  if (help) {
    console.log(HELP);
    return;
  }
  const machine = thisMachine();
  console.log(Object.values(machine).join(', '));
  for (const { name, missing } of IMPLEMENTATIONS) if (missing) console.log(`without ${name}: ${missing}`);
  const implementations = IMPLEMENTATIONS.filter(({ missing }) => !missing);

  const rows: Row[] = [];
  for (const problem of problems) {
    for (const quantity of quantities) {
      const measured = await measure(problem, quantity, implementations, { seconds });
      rows.push(...measured);
      const medians = measured.map(({ implementation, medianMs }) => `${implementation} ${medianMs.toFixed(2)} ms`);
      console.error(`${problem.name} ${quantity}: ${medians.join(', ')}`);
    }
    console.log(`\n${problem.name}\n\n${tableOf(rows.filter((row) => row.problem === problem.name))}`);
  }
  const results: Results = { machine, rows };
  if (json) await writeFile(json, `${JSON.stringify(results, undefined, 1)}\n`);
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
