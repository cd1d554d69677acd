#include "thread-pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "pause.h"

namespace gradpack {
namespace {

/// Pauses before an idle thread sleeps: about 50 µs, longer than the gap between two calls of a program.
constexpr int spins = 2000;

class ThreadPool {
 public:
  void run(int threads, std::ptrdiff_t count, void (*task)(void*, std::ptrdiff_t), void* context) {
    if (threads <= 1 || count <= 1 || !running_.try_lock()) {
      for (std::ptrdiff_t i = 0; i < count; i++) task(context, i);
      return;
    }
    std::lock_guard<std::mutex> held(running_, std::adopt_lock);
    const int wanted = static_cast<int>(std::min<std::ptrdiff_t>(std::min(threads, mostThreads), count)) - 1;
    start(wanted);
    task_ = task, context_ = context, count_ = count, error_ = nullptr, failed_ = false;
    next_.store(0, std::memory_order_relaxed);
    places_.store(wanted, std::memory_order_relaxed);
    open_.store(true);
    epoch_.fetch_add(1);
    if (sleepers_.load() > 0) {
      { std::lock_guard<std::mutex> lock(sleep_); }
      wake_.notify_all();
    }
    work();
    // a thread that comes from now on finds the door closed and touches nothing of this run
    open_.store(false);
    for (int i = 0; inside_.load() != 0; i++)
      if (i < spins) pauseBriefly();
      else std::this_thread::yield();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work() {
    for (std::ptrdiff_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_ && !failed_.load(std::memory_order_relaxed);) {
      try {
        task_(context_, i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(failing_);
        if (!error_) error_ = std::current_exception();
        failed_ = true;
      }
    }
  }

  void live() {
    for (unsigned seen = 0;;) {
      for (int i = 0; i < spins && epoch_.load() == seen; i++) pauseBriefly();
      if (epoch_.load() == seen) {
        std::unique_lock<std::mutex> lock(sleep_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return epoch_.load() != seen; });
        sleepers_.fetch_sub(1);
      }
      seen = epoch_.load();
      inside_.fetch_add(1);
      if (open_.load() && places_.fetch_sub(1) > 0) work();
      inside_.fetch_sub(1);
    }
  }

  /// Fewer threads than wanted is no failure: the others take over their tasks.
  void start(int wanted) {
    for (; threads_ < wanted; threads_++) try {
        std::thread([this] { live(); }).detach();
      } catch (const std::system_error&) {
        return;
      }
  }

  std::mutex running_, sleep_, failing_;
  std::condition_variable wake_;
  std::atomic<unsigned> epoch_{0};
  std::atomic<int> sleepers_{0}, inside_{0}, places_{0};
  std::atomic<bool> open_{false}, failed_{false};
  std::atomic<std::ptrdiff_t> next_{0};
  int threads_ = 0;
  void (*task_)(void*, std::ptrdiff_t) = nullptr;
  void* context_ = nullptr;
  std::ptrdiff_t count_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void runTasks(int threads, std::ptrdiff_t count, void (*task)(void*, std::ptrdiff_t), void* context) {
  static ThreadPool* const pool = new ThreadPool;  // leaked on purpose
  pool->run(threads, count, task, context);
}

}  // namespace gradpack
