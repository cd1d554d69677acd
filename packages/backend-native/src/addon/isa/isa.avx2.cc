// 32-byte vectors, 16 registers: tiles of 6 × 2 vectors.
#if defined(__x86_64__)
#include <immintrin.h>

#include "elementwise-kernel.h"
#include "isa.h"
#include "planes-kernel.h"
#include "tile-kernel.h"

namespace gradpack {
namespace {

/// 8×8 blocks; a lane beyond m is loaded from row m − 1 and not stored.
void transposeFloats(const float* s, std::ptrdiff_t ls, int m, std::ptrdiff_t n, float* d, std::ptrdiff_t ld) {
  for (int r0 = 0; r0 < m; r0 += 8, s += 8 * ls, d += 8) {
    const int rows = m - r0 < 8 ? m - r0 : 8;
    const __m256i keep = _mm256_cmpgt_epi32(_mm256_set1_epi32(rows), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    std::ptrdiff_t q = 0;
    for (; q + 8 <= n; q += 8) {
      const auto row = [&](int r) { return _mm256_loadu_ps(s + (r < rows ? r : rows - 1) * ls + q); };
      const __m256 a0 = row(0), a1 = row(1), a2 = row(2), a3 = row(3), a4 = row(4), a5 = row(5), a6 = row(6), a7 = row(7);
      const __m256 b0 = _mm256_unpacklo_ps(a0, a1), b1 = _mm256_unpackhi_ps(a0, a1), b2 = _mm256_unpacklo_ps(a2, a3), b3 = _mm256_unpackhi_ps(a2, a3);
      const __m256 b4 = _mm256_unpacklo_ps(a4, a5), b5 = _mm256_unpackhi_ps(a4, a5), b6 = _mm256_unpacklo_ps(a6, a7), b7 = _mm256_unpackhi_ps(a6, a7);
      const __m256 c0 = _mm256_shuffle_ps(b0, b2, 0x44), c1 = _mm256_shuffle_ps(b0, b2, 0xEE), c2 = _mm256_shuffle_ps(b1, b3, 0x44), c3 = _mm256_shuffle_ps(b1, b3, 0xEE);
      const __m256 c4 = _mm256_shuffle_ps(b4, b6, 0x44), c5 = _mm256_shuffle_ps(b4, b6, 0xEE), c6 = _mm256_shuffle_ps(b5, b7, 0x44), c7 = _mm256_shuffle_ps(b5, b7, 0xEE);
      const __m256 t[8] = {_mm256_permute2f128_ps(c0, c4, 0x20), _mm256_permute2f128_ps(c1, c5, 0x20), _mm256_permute2f128_ps(c2, c6, 0x20), _mm256_permute2f128_ps(c3, c7, 0x20),
                           _mm256_permute2f128_ps(c0, c4, 0x31), _mm256_permute2f128_ps(c1, c5, 0x31), _mm256_permute2f128_ps(c2, c6, 0x31), _mm256_permute2f128_ps(c3, c7, 0x31)};
      for (int i = 0; i < 8; i++) {
        if (rows == 8) _mm256_storeu_ps(d + (q + i) * ld, t[i]);
        else _mm256_maskstore_ps(d + (q + i) * ld, keep, t[i]);
      }
    }
    transposePlain(s + q, ls, rows, n - q, d + q * ld, ld);
  }
}

}  // namespace

template <> const Isa<float>& avx2Isa<float>() {
  static const Isa<float> made{makeTiles<float, 32, 6>(transposeFloats), makeElementwise<float, 32>(), makePlanes<float, 32>()};
  return made;
}

template <> const Isa<double>& avx2Isa<double>() {
  static const Isa<double> made{makeTiles<double, 32, 6>(transposePlain<double>), makeElementwise<double, 32>(), makePlanes<double, 32>()};
  return made;
}

}  // namespace gradpack
#endif
