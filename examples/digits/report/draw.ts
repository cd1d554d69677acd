import pc from 'picocolors';
import { imageOf, SIDE } from '../data-set.js';
import type { DigitsRun } from '../run.js';

const SHADES = [' ', '░', '▒', '▓', '█'] as const;
const PER_LINE = 5;
/** Two characters a pixel make it about square; the leftmost pixels are empty and keep images apart. */
const WIDTH = 2 * SIDE;

/** Training images side by side, each with its label, what the net says and the norm of its gradient. */
export function drawDigits(run: DigitsRun, rows: readonly number[]): string {
  const lines: string[] = [];
  for (let at = 0; at < rows.length; at += PER_LINE) {
    const pictures = rows.slice(at, at + PER_LINE).map((row) => picture(run, row));
    const height = Math.max(...pictures.map(({ length }) => length));
    for (let line = 0; line < height; line++)
      lines.push(
        pictures
          .map((one) => one[line] ?? '')
          .join('')
          .trimEnd(),
      );
    lines.push('');
  }
  return lines.join('\n');
}

function picture({ split, norms, predictions }: DigitsRun, row: number): readonly string[] {
  const { training, flipped } = split;
  const pixels = imageOf(training, row);
  const image = Array.from({ length: SIDE }, (_, y) =>
    Array.from(pixels.subarray(y * SIDE, (y + 1) * SIDE), (value) => shade(value).repeat(2)).join(''),
  );
  const truth = flipped.get(row);
  const caption = [
    `  label ${training.labels[row]}, net ${predictions[row]}`,
    `  norm ${(norms[row] ?? 0).toPrecision(3)}`,
    truth === undefined ? '' : `  flipped from ${truth}`,
  ].map((text) => text.padEnd(WIDTH));
  return [...image, ...caption.map((text) => (truth === undefined ? text : pc.yellow(text)))];
}

function shade(value: number): string {
  return SHADES[Math.min(SHADES.length - 1, Math.floor(value * SHADES.length))] ?? ' ';
}
