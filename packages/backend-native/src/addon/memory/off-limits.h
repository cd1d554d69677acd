// For AddressSanitizer: memory that a block has and nobody asked for (a size class is larger, scratch has slack). Touching it is an error
// there; without the sanitizer these functions do nothing.
#pragma once
#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRADPACK_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GRADPACK_ASAN
#endif
#if defined(GRADPACK_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace gradpack {

#if defined(GRADPACK_ASAN)
/// Bytes left between two things in one block.
constexpr std::size_t redZone = 64;
inline void setOffLimits(void* from, std::size_t bytes) { __asan_poison_memory_region(from, bytes); }
inline void giveBack(void* from, std::size_t bytes) { __asan_unpoison_memory_region(from, bytes); }
#else
constexpr std::size_t redZone = 0;
inline void setOffLimits(void*, std::size_t) {}
inline void giveBack(void*, std::size_t) {}
#endif

/// The first `used` of a block's bytes may be touched from now on, the others not.
inline void limitTo(void* block, std::size_t bytes, std::size_t used) {
  giveBack(block, bytes);
  setOffLimits(static_cast<char*>(block) + used, bytes - used);
}

}  // namespace gradpack
