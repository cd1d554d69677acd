import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { type DataSet, parseDigits } from './data-set.js';

/** scikit-learn's digits; `data/LICENSE` says where they come from. */
export async function readDigits(): Promise<DataSet> {
  const zipped = await readFile(new URL('./data/digits.csv.gz', import.meta.url));
  return parseDigits(gunzipSync(zipped).toString('utf8'));
}
