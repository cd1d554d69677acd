// Stores past the caches, for results that are larger than they are. What was stored so is seen by other threads after `streamFence`.
#pragma once
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace gradpack {
namespace {

/// `to` is aligned to the vector. Plain where the machine has no such stores.
template <class V> inline void streamVector(void* to, V x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) return _mm512_stream_si512(static_cast<__m512i*>(to), (__m512i)x);
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32) return _mm256_stream_si256(static_cast<__m256i*>(to), (__m256i)x);
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(V) == 16) return _mm_stream_si128(static_cast<__m128i*>(to), (__m128i)x);
#endif
  *static_cast<V*>(to) = x;
}

inline void streamFence() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace
}  // namespace gradpack
