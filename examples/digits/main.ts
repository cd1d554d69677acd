import { chooseBackend } from './choose-backend.js';
import { largest } from './gradient-norms.js';
import { HELP, type Options, parseOptions } from './options.js';
import { readDigits } from './read-digits.js';
import { drawDigits } from './report/draw.js';
import { epochHeader, epochLine } from './report/epochs.js';
import { curvatureTable, gradientTable, LEGEND } from './report/tables.js';
import { INSPECTED, runDigits, SUSPECTS } from './run.js';

const DRAWN = 10;

async function main({ backend: name, epochs, seed, help }: Options): Promise<void> {
  if (help) {
    console.log(HELP);
    return;
  }
  const start = performance.now();
  const { backend, reason } = await chooseBackend(name);
  const digits = await readDigits();
  console.log(`${reason}\n`);

  const run = await runDigits(backend, digits, {
    seed,
    epochs,
    onEpoch(epoch, number) {
      if (number === 1) console.log(epochHeader(epoch));
      console.log(epochLine(epoch, number));
    },
    onTrained: () => console.log(`\nOne extended backward pass on ${INSPECTED} training images`),
  });
  console.log(gradientTable(run.parameters));
  console.log(curvatureTable(run.parameters));
  console.log(LEGEND);

  const { flipped } = run.split;
  console.log(`\nThe ${DRAWN} training images with the largest gradients\n`);
  console.log(drawDigits(run, largest(run.norms, DRAWN)));
  console.log(
    `\n${flipped.size} training labels were flipped on purpose: ${run.found.length} of them are among the ${SUSPECTS} largest gradients of ${run.norms.length}.`,
  );
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`);
  await backend.dispose();
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
