// Where idle threads sleep. pthread itself: std::condition_variable::wait needs a libstdc++ of 2022 (GLIBCXX_3.4.30).
#pragma once
#include <pthread.h>

#include <atomic>

namespace gradpack {

class Parking {
 public:
  /// Sleeps until `awake()`, which is asked at once and after each `wakeAll`.
  template <class F> void sleep(const F& awake) {
    pthread_mutex_lock(&mutex_);
    sleepers_.fetch_add(1);
    while (!awake()) pthread_cond_wait(&condition_, &mutex_);
    sleepers_.fetch_sub(1);
    pthread_mutex_unlock(&mutex_);
  }

  /// After a sequentially consistent write to what `awake` reads: whoever read the old value is counted as a sleeper by now.
  void wakeAll() {
    if (sleepers_.load() == 0) return;
    pthread_mutex_lock(&mutex_);
    pthread_mutex_unlock(&mutex_);
    pthread_cond_broadcast(&condition_);
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
  std::atomic<int> sleepers_{0};
};

}  // namespace gradpack
