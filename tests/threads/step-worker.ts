import { parentPort, workerData } from 'node:worker_threads';
import { steps } from './native-steps.js';

parentPort?.postMessage(await steps(workerData as number));
