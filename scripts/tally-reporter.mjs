// Closes a run with what was skipped and why, and the plain line "N passed, N failed, N skipped". With
// GRADPACK_NO_SKIPS=1 a skip makes the run fail.
export default class {
  onTestRunEnd(modules, unhandledErrors) {
    const n = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const reasons = new Map();
    const skip = (reason) => {
      n.skipped++;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    };
    for (const module of modules) {
      if (module.errors().length) n.failed++; // a file that did not load counts as one failure
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state === 'passed' || state === 'failed') n[state]++;
        else skip(`${module.project.name}: ${note ?? outermost(test)}`); // skipped, todo, or never reached
      }
    }
    if (process.env.GRADPACK_LEFT_OUT) skip(process.env.GRADPACK_LEFT_OUT);

    for (const [reason, times] of reasons) console.log(`skipped${times > 1 ? ` (${times} tests)` : ''}: ${reason}`);
    if (n.skipped && process.env.GRADPACK_NO_SKIPS === '1') {
      console.log(`GRADPACK_NO_SKIPS=1: the run fails, ${n.skipped} skipped`);
      process.exitCode = 1;
    }
    console.log(`\n${n.passed} passed, ${n.failed} failed, ${n.skipped} skipped`);
  }
}

/** The suite at the top of the file, or the test itself where it is in none. */
function outermost(test) {
  let found = test;
  while (found.parent && found.parent.type !== 'module') found = found.parent;
  return found.name;
}
