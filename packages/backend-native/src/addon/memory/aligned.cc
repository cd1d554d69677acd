#include "aligned.h"

#include <cstdint>
#include <cstdlib>
#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif
#ifdef _WIN32
#include <malloc.h>
#endif

namespace gradpack {

void* alignedAllocate(std::size_t bytes) {
#ifdef _WIN32
  return _aligned_malloc(bytes, cacheLine);
#else
  const bool large = bytes >= 2 * hugePage;
  void* block = nullptr;
  if (posix_memalign(&block, large ? hugePage : cacheLine, bytes) != 0) return nullptr;
  if (large) preferHugePages(block, bytes);
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

void preferHugePages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef __linux__
  const std::uintptr_t page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE)), start = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page;
  const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / page * page;
  if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
#endif
}

}  // namespace gradpack
