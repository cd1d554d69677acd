// Fails when a package knows what it must not know. Tags and edges come from nx's project graph; then every import in src
// must name a declared package: a dependency or peer, or for `import type` a dev dependency too.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { env, root } from './shell.mjs';

/** What a layer may know. `types`: only by `import type`, as a dev dependency. */
const ALLOW = {
  core: {},
  binary: {},
  backend: { use: ['core', 'binary'] },
  layers: { use: ['core'] },
  losses: { use: ['core'] },
  extensions: { use: ['core'], types: ['layers'] },
  testkit: { use: ['core'] },
  umbrella: { use: ['core', 'backend', 'layers', 'losses', 'extensions'] },
  private: { use: ['core', 'backend', 'layers', 'losses', 'extensions', 'testkit', 'umbrella'] },
};

const faults = [];

// ── nx's graph: which workspace package declares which ───────────────────────────────────────────────────────────────
const file = join(root, '.nx', `graph.${process.pid}.json`);
execFileSync(join(root, 'node_modules/.bin/nx'), ['graph', `--file=${file}`], { cwd: root, stdio: 'ignore', env });
const { nodes, dependencies } = JSON.parse(readFileSync(file, 'utf8')).graph;
rmSync(file);

const layerOf = (name) => nodes[name]?.data.tags?.find((tag) => tag.startsWith('layer:'))?.slice('layer:'.length);

for (const [from, edges] of Object.entries(dependencies)) {
  const layer = layerOf(from);
  if (layer === undefined) {
    faults.push(`${from} has no layer tag`);
    continue;
  }
  const { use = [], types = [] } = ALLOW[layer] ?? {};
  for (const { target } of edges) {
    const known = layerOf(target);
    if (known !== undefined && ![...use, ...types].includes(known))
      faults.push(`${from} (${layer}) must not depend on ${target} (${known})`);
  }
}

// ── imports of src ───────────────────────────────────────────────────────────────────────────────────────────────────
/** Every module that a source file imports, and whether only its types. */
function importsOf(path) {
  const found = [];
  const named = (elements) => elements !== undefined && elements.length > 0 && elements.every((e) => e.isTypeOnly);
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const typeOnly =
        clause?.isTypeOnly ||
        (clause && !clause.name && bindings && ts.isNamedImports(bindings) && named(bindings.elements));
      found.push({ module: node.moduleSpecifier.text, typeOnly: Boolean(typeOnly) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      const typeOnly =
        node.isTypeOnly ||
        (node.exportClause && ts.isNamedExports(node.exportClause) && named(node.exportClause.elements));
      found.push({ module: node.moduleSpecifier.text, typeOnly: Boolean(typeOnly) });
    } else if (ts.isImportTypeNode(node)) {
      found.push({ module: node.argument.literal.text, typeOnly: true });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteralLike(argument)) found.push({ module: argument.text, typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest));
  return found;
}

const packageOf = (module) => module.split('/', module.startsWith('@') ? 2 : 1).join('/');
/** Only these run in Node alone. */
const NODE_BUILTINS = ['@gradpack/backend-native'];

for (const folder of readdirSync(join(root, 'packages'))) {
  const at = join(root, 'packages', folder);
  const pkg = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  const layer = layerOf(pkg.name);
  const { use = [], types = [] } = ALLOW[layer] ?? {};
  const shipped = { ...pkg.dependencies, ...pkg.peerDependencies };
  if (layer === 'binary') continue; // has no sources
  const sources = readdirSync(join(at, 'src'), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

  for (const source of sources) {
    const where = `packages/${folder}/src/${source}`;
    for (const { module, typeOnly } of importsOf(join(at, 'src', source))) {
      if (module.startsWith('.')) {
        const depth = source.split('/').length - 1;
        const up = module.split('/').filter((part) => part === '..').length;
        if (up > depth) faults.push(`${where} leaves its src: ${module}`);
        continue;
      }
      if (module.startsWith('node:')) {
        if (!NODE_BUILTINS.includes(pkg.name)) faults.push(`${where} must run in browsers and imports ${module}`);
        continue;
      }
      const name = packageOf(module);
      if (name === pkg.name) {
        faults.push(`${where} imports its own package by name; use a relative path`);
        continue;
      }
      if (nodes[name] && module !== name) faults.push(`${where} imports ${module}; only ${name} itself is public`);
      const known = layerOf(name);
      if (known !== undefined && !use.includes(known) && !(typeOnly && types.includes(known)))
        faults.push(
          `${where} (${layer}) must not import ${name} (${known})${types.includes(known) ? ' but by import type' : ''}`,
        );
      if (!shipped[name] && !(typeOnly && pkg.devDependencies?.[name]))
        faults.push(
          `${where} imports ${name}, which package.json does not declare as a ${typeOnly ? 'dev dependency' : 'dependency or peer'}`,
        );
    }
  }
}

for (const fault of faults) console.error(fault);
console.log(`boundaries: ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
