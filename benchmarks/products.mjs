// The rate of matrix products as a share of the processor's peak: builds packages/backend-native/test/product-rate.cc from the addon's
// objects, and runs it. The addon must have been built; GRADPACK_ISA chooses vectors as it does there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../packages/backend-native/', import.meta.url));
const objects = join(native, 'build/obj');
const folder = mkdtempSync(join(tmpdir(), 'gradpack-products-'));
try {
  const program = join(folder, 'product-rate');
  const parts = readdirSync(objects).filter((name) =>
    /^(gemm|isa|memory|threads|failure|old-symbols).*\.o$/.test(name),
  );
  const sources = [join(native, 'test/product-rate.cc'), ...parts.map((name) => join(objects, name))];
  execFileSync(process.env.CXX ?? 'g++', ['-std=c++17', '-O2', '-pthread', ...sources, '-o', program], {
    stdio: 'inherit',
  });
  execFileSync(program, { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
