import { isLayer, type Layer } from './layer.js';
import { type Module, publicFields } from './module.js';
import { isParameter, type Parameter } from './parameter.js';

/** The paths of everything inside a module, through public fields, in order. A shared parameter or layer has the first path it is met at. */
export interface Names {
  readonly layers: ReadonlyMap<Layer, string>;
  /** Parameters and buffers. */
  readonly parameters: ReadonlyMap<Parameter, string>;
  readonly byName: ReadonlyMap<string, Parameter>;
}

/** PyTorch's spelling of a field: `runningMean` is `running_mean`. */
function fieldName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function namesOf(root: Module): Names {
  const layers = new Map<Layer, string>();
  const parameters = new Map<Parameter, string>();
  const byName = new Map<string, Parameter>();
  const seen = new Set<Module>();
  const visit = (module: Module, path: string): void => {
    const inside = (name: string): string => (path === '' ? name : `${path}.${name}`);
    for (const [field, parameter] of publicFields(module, isParameter)) {
      const name = inside(fieldName(field));
      byName.set(name, parameter); // a tied parameter answers to each of its paths
      if (!parameters.has(parameter)) parameters.set(parameter, name);
    }
    if (seen.has(module)) return;
    seen.add(module);
    if (isLayer(module)) layers.set(module, path);
    for (const [name, child] of module.namedChildren()) visit(child, inside(name));
  };
  visit(root, '');
  return { layers, parameters, byName };
}
