#include "thread-pool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

#include "../failure.h"
#include "parking.h"
#include "pause.h"

namespace gradpack {
namespace {

/// Pauses before an idle thread sleeps: about 50 µs, longer than the gap between two calls of a program.
constexpr int spins = 2000;

/// A run is open while `unclaimed_` is above 0 and over when `unfinished_` is 0. Whoever lowers `unclaimed_` owns one task of the run that
/// is open at that moment, whichever it is, and that run cannot end before the task does: so what describes a run is read after a
/// claim and written between runs, and a thread that comes late, or lost its core before it claimed, is not waited for.
class ThreadPool {
 public:
  void run(int threads, std::ptrdiff_t count, void (*task)(void*, std::ptrdiff_t), void* context) {
    // a task that runs tasks finds its own pool busy
    if (threads <= 1 || count <= 1 || busy_.exchange(true, std::memory_order_acquire)) {
      for (std::ptrdiff_t i = 0; i < count; i++) task(context, i);
      return;
    }
    const int wanted = static_cast<int>(std::min<std::ptrdiff_t>(std::min(threads, mostThreads), count)) - 1;
    start(wanted);
    task_ = task, context_ = context, count_ = count, failure_ = Caught{}, failed_.store(false, std::memory_order_relaxed);
    places_.store(wanted, std::memory_order_relaxed);
    unfinished_.store(count, std::memory_order_relaxed);
    unclaimed_.store(count);
    epoch_.fetch_add(1);
    idle_.wakeAll();
    work();
    for (int i = 0; unfinished_.load(std::memory_order_acquire) != 0; i++)
      if (i < spins) pauseBriefly();
      else std::this_thread::yield();
    const Caught failure = std::move(failure_);
    busy_.store(false, std::memory_order_release);
    if (failure.code != nullptr) failure.rethrow();
  }

 private:
  void work() {
    for (std::ptrdiff_t left = unclaimed_.load(); left > 0;) {
      if (!unclaimed_.compare_exchange_weak(left, left - 1)) continue;
      std::ptrdiff_t finished = 1;
      try {
        task_(context_, count_ - left);
      } catch (...) {
        finished += unclaimed_.exchange(0);
        if (!failed_.exchange(true)) failure_ = caught();
      }
      unfinished_.fetch_sub(finished, std::memory_order_release);
      left = unclaimed_.load();
    }
  }

  void live() {
    for (unsigned seen = 0;;) {
      for (int i = 0; i < spins && epoch_.load() == seen; i++) pauseBriefly();
      if (epoch_.load() == seen) idle_.sleep([&] { return epoch_.load() != seen; });
      seen = epoch_.load();
      if (places_.fetch_sub(1, std::memory_order_relaxed) > 0) work();
    }
  }

  /// Fewer threads than wanted is no failure: the others take over their tasks.
  void start(int wanted) {
    for (; threads_ < wanted; threads_++) try {
        std::thread([this] { live(); }).detach();
      } catch (const std::exception&) {
        return;
      }
  }

  std::atomic<bool> busy_{false};
  std::atomic<unsigned> epoch_{0};
  /// Threads that may still join. One that joins as its run ends may work for the next: one thread more than wanted, for once.
  std::atomic<int> places_{0};
  std::atomic<std::ptrdiff_t> unclaimed_{0}, unfinished_{0};
  Parking idle_;
  int threads_ = 0;
  void (*task_)(void*, std::ptrdiff_t) = nullptr;
  void* context_ = nullptr;
  std::ptrdiff_t count_ = 0;
  std::atomic<bool> failed_{false};
  Caught failure_;
};

}  // namespace

void runTasks(int threads, std::ptrdiff_t count, void (*task)(void*, std::ptrdiff_t), void* context) {
  static ThreadPool* const pool = new ThreadPool;  // leaked on purpose
  pool->run(threads, count, task, context);
}

}  // namespace gradpack
