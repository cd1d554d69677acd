// 64-byte vectors, 32 registers: tiles of 14 × 2 vectors.
#if defined(__x86_64__)
// g++ 12 warns of its own _mm512_undefined_ps (GCC bug 105593)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include "make-isa.h"

namespace gradpack {
namespace {

__mmask16 firstLanes(std::ptrdiff_t n) { return n >= 16 ? 0xffff : static_cast<__mmask16>((1u << n) - 1); }

[[gnu::always_inline]] inline void transposeSquare(__m512 (&r)[16]) {
  __m512 t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    r[4 * i] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    r[4 * i + 1] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
    r[4 * i + 2] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    r[4 * i + 3] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0xDD);
    t[8 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0xDD);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0x88);
    r[8 + i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0xDD);
    r[4 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0x88);
    r[12 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0xDD);
  }
}

/// 16×16 blocks, masked at the edges.
void transposeFloats(const float* s, std::ptrdiff_t ls, int m, std::ptrdiff_t n, float* d, std::ptrdiff_t ld) {
  for (int r0 = 0; r0 < m; r0 += 16, s += 16 * ls, d += 16) {
    const int rows = m - r0 < 16 ? m - r0 : 16;
    const __mmask16 keep = firstLanes(rows);
    for (std::ptrdiff_t q = 0; q < n; q += 16) {
      const int columns = n - q < 16 ? static_cast<int>(n - q) : 16;
      const __mmask16 load = firstLanes(columns);
      __m512 r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) r[i] = i < rows ? _mm512_maskz_loadu_ps(load, s + i * ls + q) : _mm512_setzero_ps();
      transposeSquare(r);
      float* o = d + q * ld;
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++)
        if (i < columns) {
          // what a whole vector writes beyond a row, the next one overwrites
          if (ld == rows && (q + i) * ld + 16 <= n * ld) _mm512_storeu_ps(o + i * ld, r[i]);
          else _mm512_mask_storeu_ps(o + i * ld, keep, r[i]);
        }
    }
  }
}

struct FloatLanes {
  using Real = float;
  using Vector = __m512;
  using Mask = __mmask16;
  static constexpr int width = 16;

  static Mask mask(std::uint32_t bits) { return static_cast<Mask>(bits); }
  static Vector load(Mask mask, const float* p) { return _mm512_maskz_loadu_ps(mask, p); }
  static Vector over(Vector x, Mask mask, const float* p) { return _mm512_mask_loadu_ps(x, mask, p); }
  static void store(std::uint32_t bits, float* p, Vector x) { _mm512_mask_storeu_ps(p, mask(bits), x); }
  static void transpose(Vector (&x)[width]) { transposeSquare(x); }
};

struct DoubleLanes {
  using Real = double;
  using Vector = __m512d;
  using Mask = __mmask8;
  static constexpr int width = 8;

  static Mask mask(std::uint32_t bits) { return static_cast<Mask>(bits); }
  static Vector load(Mask mask, const double* p) { return _mm512_maskz_loadu_pd(mask, p); }
  static Vector over(Vector x, Mask mask, const double* p) { return _mm512_mask_loadu_pd(x, mask, p); }
  static void store(std::uint32_t bits, double* p, Vector x) { _mm512_mask_storeu_pd(p, mask(bits), x); }
  static void transpose(Vector (&x)[width]) { transposeEntries(x); }
};

}  // namespace

template <> const Isa<float>& avx512Isa<float>() {
  static const Isa<float> made = makeIsa<FloatLanes, 64, 14>(transposeFloats);
  return made;
}

template <> const Isa<double>& avx512Isa<double>() {
  static const Isa<double> made = makeIsa<DoubleLanes, 64, 14>(transposePlain<double>);
  return made;
}

}  // namespace gradpack
#endif
