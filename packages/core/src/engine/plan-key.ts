import type { PlanRequest } from './plan.js';
import { traceKey } from './trace.js';

/** Equal for steps that record the same program. */
export function planKey(request: PlanRequest): string {
  const { trace, loss, target, gradient, quantities, memoryLimit, onMissing, checkFinite, columns, inner } = request;
  const asked = Object.entries(quantities).map(([name, quantity]) => `${name}=${quantity.key}`);
  const scale = loss.scale === undefined ? '' : Math.sign(loss.scale);
  const atLoss = [loss.key, scale, target.shape, target.dtype, target.checked];
  return [traceKey(trace), ...atLoss, gradient, asked, memoryLimit, onMissing, checkFinite, columns, inner].join('|');
}
