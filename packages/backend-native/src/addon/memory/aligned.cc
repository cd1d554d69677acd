#include "aligned.h"

#include <cstdlib>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef _WIN32
#include <malloc.h>
#endif

namespace gradpack {

constexpr std::size_t hugePage = std::size_t{1} << 21;

void* alignedAllocate(std::size_t bytes) {
#ifdef _WIN32
  return _aligned_malloc(bytes, cacheLine);
#else
  const bool large = bytes >= 2 * hugePage;
  void* block = nullptr;
  if (posix_memalign(&block, large ? hugePage : cacheLine, bytes) != 0) return nullptr;
#ifdef __linux__
  if (large) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
#endif
}

void alignedFree(void* block) {
#ifdef _WIN32
  _aligned_free(block);
#else
  std::free(block);
#endif
}

}  // namespace gradpack
