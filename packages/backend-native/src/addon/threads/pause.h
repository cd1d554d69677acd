#pragma once
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace gradpack {

/// Tells the core that this thread is spinning.
inline void pauseBriefly() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace gradpack
