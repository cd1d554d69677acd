import type { Epoch } from '../train.js';

/** Signal-to-noise of a step's gradient: ‖mean‖² · N / Σ variance, per parameter. About 1 when it is nothing but noise. */
export function epochHeader({ signalToNoise }: Epoch): string {
  const columns = [...signalToNoise.keys()].map((name) => name.padStart(9));
  return `epoch    loss  test   gradient signal-to-noise (1: all noise)\n${' '.repeat(21)}${columns.join('')}`;
}

export function epochLine({ losses, accuracy, signalToNoise }: Epoch, number: number): string {
  const loss = losses.reduce((total, one) => total + one, 0) / losses.length;
  const columns = [...signalToNoise.values()].map((ratio) => ratio.toFixed(2).padStart(9));
  const test = `${(100 * accuracy).toFixed(1)} %`;
  return `${String(number).padStart(5)}${loss.toFixed(4).padStart(8)}${test.padStart(8)}${columns.join('')}`;
}
