// Copies between a storage and memory of JavaScript, which is often fresh: touching its pages first costs more than the copy.
#pragma once
#include <algorithm>
#include <cstring>

#include "../threads/thread-pool.h"
#include "aligned.h"

namespace gradpack {

/// Large copies are shared among `threads`, a huge page at a time.
inline void bulkCopy(int threads, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  if (bytes < 2 * hugePage) {
    std::memcpy(to, from, bytes);
    return;
  }
  preferHugePages(to, bytes);
  parallel(threads, static_cast<std::ptrdiff_t>((bytes + hugePage - 1) / hugePage), [&](std::ptrdiff_t i) {
    const std::size_t at = static_cast<std::size_t>(i) * hugePage;
    std::memcpy(static_cast<char*>(to) + at, static_cast<const char*>(from) + at, std::min(hugePage, bytes - at));
  });
}

}  // namespace gradpack
