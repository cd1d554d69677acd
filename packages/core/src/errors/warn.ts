const silenced = new Set<string>();
const shown = new Set<string>();

/** Names of GradPack's warnings. */
export type WarningName = 'step-not-disposed';

/** Shows a warning once per process, unless it was switched off. */
export function warn(name: WarningName, text: string): void {
  if (silenced.has(name) || shown.has(name)) return;
  shown.add(name);
  console.warn(`GradPack warning (${name}): ${text}\n  switch it off with silence('${name}')`);
}

/** Switches a warning off. */
export function silence(name: WarningName): void {
  silenced.add(name);
}
