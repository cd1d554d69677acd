import { writeFile } from 'node:fs/promises';
import { OWN, PEERS } from './implementations/index.js';
import { measure } from './measure.js';
import { HELP, type Options, parseOptions } from './options.js';
import { type Row, thisMachine, toJson, versionsOf } from './results.js';
import { tableOf } from './table.js';

async function main({ problems, quantities, peers, json, help, ...options }: Options): Promise<void> {
  if (help) {
    console.log(HELP);
    return;
  }
  const machine = await thisMachine();
  console.log(Object.values(machine).join(', '));
  for (const { name, missing } of [...OWN, ...PEERS]) if (missing) console.log(`without ${name}: ${missing}`);
  const implementations = [...OWN.filter(({ missing }) => !missing), ...peers];

  const rows: Row[] = [];
  const faults: string[] = [];
  try {
    const versions = await versionsOf(implementations);
    console.log(
      Object.entries(versions)
        .map((peer) => peer.join(' '))
        .join(', '),
    );
    for (const problem of problems) {
      for (const quantity of quantities) {
        const measured = await measure(problem, quantity, implementations, options);
        rows.push(...measured.rows);
        faults.push(...measured.faults);
        const medians = measured.rows.map(
          ({ implementation, medianMs }) => `${implementation} ${medianMs.toFixed(2)} ms`,
        );
        console.error(`${problem.name} ${quantity}: ${medians.join(', ')}`);
        for (const note of [...measured.skipped, ...measured.faults]) console.error(`  left out: ${note}`);
      }
      console.log(`\n${problem.name}\n\n${tableOf(rows.filter((row) => row.problem === problem.name))}`);
    }
    if (json) await writeFile(json, toJson({ machine, versions, rows }));
  } finally {
    for (const { close } of implementations) await close?.();
  }
  if (faults.length > 0) throw new Error(`\nnot timed because of faults:\n${faults.join('\n')}`);
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
