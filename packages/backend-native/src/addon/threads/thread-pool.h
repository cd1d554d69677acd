// The process's threads. One pool serves every environment (main thread and workers); it is made on first use and never destroyed,
// because a joining destructor would hang or crash at process.exit. Tasks are claimed one by one, so a core that is busy elsewhere
// only delays the task it holds.
#pragma once
#include <cstddef>

namespace gradpack {

/// Most threads that one call uses, the caller included.
constexpr int mostThreads = 256;

/// Runs task(0) … task(count − 1) on the caller and up to `threads − 1` others. While another environment holds the pool the caller
/// does all of it alone. An exception of a task is thrown again here, after all tasks have ended; the remaining tasks are dropped.
void runTasks(int threads, std::ptrdiff_t count, void (*task)(void* context, std::ptrdiff_t index), void* context);

template <class F> void parallel(int threads, std::ptrdiff_t count, const F& body) {
  runTasks(threads, count, [](void* context, std::ptrdiff_t index) { (*static_cast<const F*>(context))(index); }, const_cast<F*>(&body));
}

}  // namespace gradpack
