// 32-byte vectors, 16 registers: tiles of 6 × 2 vectors.
#if defined(__x86_64__)
#include <immintrin.h>

#include "make-isa.h"

namespace gradpack {
namespace {

[[gnu::always_inline]] inline void transposeSquare(__m256 (&x)[8]) {
  const __m256 b0 = _mm256_unpacklo_ps(x[0], x[1]), b1 = _mm256_unpackhi_ps(x[0], x[1]), b2 = _mm256_unpacklo_ps(x[2], x[3]), b3 = _mm256_unpackhi_ps(x[2], x[3]);
  const __m256 b4 = _mm256_unpacklo_ps(x[4], x[5]), b5 = _mm256_unpackhi_ps(x[4], x[5]), b6 = _mm256_unpacklo_ps(x[6], x[7]), b7 = _mm256_unpackhi_ps(x[6], x[7]);
  const __m256 c0 = _mm256_shuffle_ps(b0, b2, 0x44), c1 = _mm256_shuffle_ps(b0, b2, 0xEE), c2 = _mm256_shuffle_ps(b1, b3, 0x44), c3 = _mm256_shuffle_ps(b1, b3, 0xEE);
  const __m256 c4 = _mm256_shuffle_ps(b4, b6, 0x44), c5 = _mm256_shuffle_ps(b4, b6, 0xEE), c6 = _mm256_shuffle_ps(b5, b7, 0x44), c7 = _mm256_shuffle_ps(b5, b7, 0xEE);
  x[0] = _mm256_permute2f128_ps(c0, c4, 0x20), x[1] = _mm256_permute2f128_ps(c1, c5, 0x20), x[2] = _mm256_permute2f128_ps(c2, c6, 0x20), x[3] = _mm256_permute2f128_ps(c3, c7, 0x20);
  x[4] = _mm256_permute2f128_ps(c0, c4, 0x31), x[5] = _mm256_permute2f128_ps(c1, c5, 0x31), x[6] = _mm256_permute2f128_ps(c2, c6, 0x31), x[7] = _mm256_permute2f128_ps(c3, c7, 0x31);
}

/// The first `count` lanes: masked stores are slow on AMD's processors.
template <int count> inline void storeFirst(float* p, __m256 x) {
  if constexpr (count == 8) return _mm256_storeu_ps(p, x);
  __m128 rest = _mm256_castps256_ps128(x);
  if constexpr (count >= 4) _mm_storeu_ps(p, rest), rest = _mm256_extractf128_ps(x, 1);
  if constexpr (count & 2) _mm_storel_pi(reinterpret_cast<__m64*>(p + (count & 4)), rest), rest = _mm_movehl_ps(rest, rest);
  if constexpr (count & 1) _mm_store_ss(p + (count & 6), rest);
}

/// Blocks of `rows` × 8; a lane beyond the rows is loaded from the last one and not stored.
template <int rows> void transposeRows(const float* s, std::ptrdiff_t ls, std::ptrdiff_t n, float* d, std::ptrdiff_t ld) {
  std::ptrdiff_t q = 0;
  for (; q + 8 <= n; q += 8) {
    __m256 t[8];
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++) t[r] = _mm256_loadu_ps(s + (r < rows ? r : rows - 1) * ls + q);
    transposeSquare(t);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) storeFirst<rows>(d + (q + i) * ld, t[i]);
  }
  transposePlain(s + q, ls, rows, n - q, d + q * ld, ld);
}

void transposeFloats(const float* s, std::ptrdiff_t ls, int m, std::ptrdiff_t n, float* d, std::ptrdiff_t ld) {
  constexpr decltype(&transposeRows<8>) byRows[] = {nullptr, transposeRows<1>, transposeRows<2>, transposeRows<3>, transposeRows<4>, transposeRows<5>, transposeRows<6>, transposeRows<7>, transposeRows<8>};
  for (int r = 0; r < m; r += 8, s += 8 * ls, d += 8) byRows[m - r < 8 ? m - r : 8](s, ls, n, d, ld);
}

/// The lanes of `bits` from a vector in memory.
template <class Real> void storeSome(std::uint32_t bits, const Real* x, Real* p) {
  for (int lane = __builtin_ctz(bits); bits >> lane != 0; lane++) p[lane] = x[lane];
}

struct FloatLanes {
  using Real = float;
  using Vector = __m256;
  using Mask = __m256i;
  static constexpr int width = 8;

  static Mask mask(std::uint32_t bits) {
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), lane), lane);
  }
  static Vector load(Mask mask, const float* p) { return _mm256_maskload_ps(p, mask); }
  static Vector over(Vector x, Mask mask, const float* p) { return _mm256_or_ps(x, _mm256_maskload_ps(p, mask)); }
  static void store(std::uint32_t bits, float* p, Vector x) {
    if (bits == 0xff) return _mm256_storeu_ps(p, x);
    alignas(32) float lanes[width];
    _mm256_store_ps(lanes, x);
    storeSome(bits, lanes, p);
  }
  static void transpose(Vector (&x)[width]) { transposeSquare(x); }
};

struct DoubleLanes {
  using Real = double;
  using Vector = __m256d;
  using Mask = __m256i;
  static constexpr int width = 4;

  static Mask mask(std::uint32_t bits) {
    const __m256i lane = _mm256_setr_epi64x(1, 2, 4, 8);
    return _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(static_cast<long long>(bits)), lane), lane);
  }
  static Vector load(Mask mask, const double* p) { return _mm256_maskload_pd(p, mask); }
  static Vector over(Vector x, Mask mask, const double* p) { return _mm256_or_pd(x, _mm256_maskload_pd(p, mask)); }
  static void store(std::uint32_t bits, double* p, Vector x) {
    if (bits == 0xf) return _mm256_storeu_pd(p, x);
    alignas(32) double lanes[width];
    _mm256_store_pd(lanes, x);
    storeSome(bits, lanes, p);
  }
  static void transpose(Vector (&x)[width]) { transposeEntries(x); }
};

}  // namespace

template <> const Isa<float>& avx2Isa<float>() {
  static const Isa<float> made = makeIsa<FloatLanes, 32, 6>(transposeFloats);
  return made;
}

template <> const Isa<double>& avx2Isa<double>() {
  static const Isa<double> made = makeIsa<DoubleLanes, 32, 6>(transposePlain<double>);
  return made;
}

}  // namespace gradpack
#endif
