// The pool of threads by itself, for scripts/sanitize.mjs: callers that compete for it, tasks that run tasks, tasks that throw, fewer
// and more tasks than threads. Ends with code 1 and a line where a task was lost or done twice.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "../src/addon/failure.h"
#include "../src/addon/threads/thread-pool.h"

namespace {

void expect(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "thread pool: %s\n", what);
  std::exit(1);
}

/// Every task counts in a cell of its own, which no other may touch.
void runOnce(int threads, std::ptrdiff_t count) {
  std::vector<int> done(static_cast<std::size_t>(count));
  gradpack::parallel(threads, count, [&](std::ptrdiff_t i) { done[static_cast<std::size_t>(i)]++; });
  for (const int times : done) expect(times == 1, "a task was not done once");
}

void runNested(int threads) {
  std::vector<int> done(64);
  gradpack::parallel(threads, 8, [&](std::ptrdiff_t i) {
    gradpack::parallel(threads, 8, [&](std::ptrdiff_t j) { done[static_cast<std::size_t>(8 * i + j)]++; });
  });
  for (const int times : done) expect(times == 1, "a nested task was not done once");
}

void runFailing(int threads, std::ptrdiff_t count, std::ptrdiff_t bad) {
  std::atomic<int> done{0};
  bool thrown = false;
  try {
    gradpack::parallel(threads, count, [&](std::ptrdiff_t i) {
      done++;
      if (i == bad) throw gradpack::Failure("GRADPACK-INTERNAL", "planned");
    });
  } catch (const gradpack::Failure& failure) {
    thrown = std::strcmp(failure.code, "GRADPACK-INTERNAL") == 0 && std::strcmp(failure.what(), "planned") == 0;
  }
  expect(thrown, "a failure was lost");
  expect(done <= count, "a task was done twice");
}

}  // namespace

int main() {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; caller++)
    callers.emplace_back([caller] {
      for (int i = 0; i < 20000; i++) {
        const int threads = 1 + (i + caller) % 5;
        runOnce(threads, i % 23);
        if (i % 7 == 0) runNested(threads);
        if (i % 5 == 0) runFailing(threads, 1 + i % 11, i % (1 + i % 11));
        if (i % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // until the others sleep
      }
    });
  for (std::thread& caller : callers) caller.join();
}
