// Elementary functions of single precision on whole vectors: no branches, no calls, no tables. Measured over all 2³² floats, with each
// instruction set, they are off by at most, in units in the last place:
//   exp 1.02, expm1 1.57, log 0.83, log1p 0.84, sigmoid 2.41, tanh 1.34, sin and cos 0.51
// and right for 0, infinities, NaN and where they overflow; subnormals count too. Beyond 2²⁷ radians sin and cos call the C library
// (there only a sample was measured). In an unnamed namespace, see tile-kernel.h.
#pragma once
#if defined(__AVX512F__)
#include <immintrin.h>
#endif
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tile-kernel.h"

namespace gradpack {
namespace {

template <int Bytes> struct Functions {
  using V = typename Vector<float, Bytes>::type;
  using Bits = typename Vector<std::int32_t, Bytes>::type;
  static constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();

  static V all(float x) { return V{} + x; }
  static Bits bitsOf(V x) { return reinterpret_cast<Bits>(x); }
  static V floatOf(Bits bits) { return reinterpret_cast<V>(bits); }
  // wrapping: what leaves the range belongs to numbers that a choice drops afterwards
  using Wrapping = typename Vector<std::uint32_t, Bytes>::type;
  static Bits plus(Bits a, Bits b) { return reinterpret_cast<Bits>(reinterpret_cast<Wrapping>(a) + reinterpret_cast<Wrapping>(b)); }
  static Bits minus(Bits a, Bits b) { return reinterpret_cast<Bits>(reinterpret_cast<Wrapping>(a) - reinterpret_cast<Wrapping>(b)); }
  /// n in the place of the exponent.
  static Bits exponent(Bits n) { return reinterpret_cast<Bits>(reinterpret_cast<Wrapping>(n) << 23); }
  static V magnitude(V x) { return floatOf(bitsOf(x) & 0x7fffffff); }

  /// x = n ln 2 + r, |r| <= ln 2 / 2. Adding 1.5·2²³ rounds to a whole number, which then stands in the low bits.
  struct Reduced {
    V r, n;
    Bits whole;
  };
  static Reduced reduceByLog2(V x) {
    const V shifted = x * 1.44269504f + 12582912.f, n = shifted - 12582912.f;
    return {(x - n * 0.693359375f) - n * -2.12194440e-4f, n, minus(bitsOf(shifted), Bits{} + 0x4b400000)};
  }
  /// e^r − 1 for |r| <= ln 2 / 2 (Cephes).
  static V expm1Near(V r) {
    V y = r * 1.9875691500e-4f + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    return y * (r * r) + r;
  }
  /// y 2^n for y near 1 and −152 <= n <= 128.
  static V scaled(V y, const Reduced& by) {
#if defined(__AVX512F__)
    if constexpr (Bytes == 64) return reinterpret_cast<V>(_mm512_maskz_scalef_ps(0xffff, reinterpret_cast<__m512>(y), reinterpret_cast<__m512>(by.n)));
#endif
    // 2^n alone is out of range at the lower end: 2^64 too much at first
    const Bits small = by.whole < -64, up = small & 64;
    const V large = floatOf(plus(bitsOf(y), exponent(by.whole + up)));
    return large * (small ? all(0x1p-64f) : all(1));
  }

  /// Where e^x leaves the range: ∞ for numbers, NaN for NaN.
  static V beyond(V x) { return x + infinity; }
  static constexpr float largestExponent = 0x1.62e42ep6f;  // the next float is above 128 ln 2

  static V exp(V x) {
    const V above = x < -105.f ? all(-105.f) : x;
    const Reduced d = reduceByLog2(above);
    const V y = scaled(expm1Near(d.r) + 1.f, d);
    return x <= largestExponent ? y : beyond(x);
  }

  /// 2 (2ⁿ⁻¹ p + (2ⁿ⁻¹ − ½)) with p = e^r − 1: 2ⁿ itself can be out of range.
  static V expm1(V x) {
    const V above = x < -30.f ? all(-30.f) : x;
    const Reduced d = reduceByLog2(above);
    const V p = expm1Near(d.r), half = floatOf(exponent(d.whole + 126)), y = half * p + (half - .5f);
    const V near = d.whole == 0 ? p : y + y;
    return x <= largestExponent ? near : beyond(x);
  }

  /// x = 2^k (1 + f), √½ <= 1 + f < √2, for positive normal x.
  struct Split {
    V k, f;
  };
  static Split splitExponent(V x) {
    const Bits k = minus(bitsOf(x), Bits{} + 0x3f3504f3) >> 23;
    return {__builtin_convertvector(k, V), floatOf(minus(bitsOf(x), exponent(k))) - 1.f};
  }
  /// log(1 + f) − f + f²/2 (Cephes).
  static V logTail(V f) {
    V y = f * 7.0376836292e-2f - 1.1514610310e-1f;
    y = y * f + 1.1676998740e-1f;
    y = y * f - 1.2420140846e-1f;
    y = y * f + 1.4249322787e-1f;
    y = y * f - 1.6668057665e-1f;
    y = y * f + 2.0000714765e-1f;
    y = y * f - 2.4999993993e-1f;
    y = y * f + 3.3333331174e-1f;
    return y * f * (f * f);
  }
  /// k ln 2 + log(1 + f) + c for a small c.
  static V logOf(V k, V f, V c) {
    const V low = logTail(f) + (k * -2.12194440e-4f + c) - .5f * (f * f);
    return (f + low) + k * 0.693359375f;
  }
  /// Of 0, infinity and what has no logarithm.
  static V logBeyond(V x) { return x == 0.f ? all(-infinity) : x > 0.f ? x : all(nan); }

  static V log(V x) {
    const Bits subnormal = x < 0x1p-126f;
    const Split d = splitExponent(subnormal ? x * 0x1p23f : x);
    const V y = logOf(d.k - (subnormal ? all(23.f) : V{}), d.f, V{});
    const Bits inside = (x > 0.f) & (x < infinity);
    return inside ? y : logBeyond(x);
  }

  /// log u + (1 + x − u) / u with u = 1 + x rounded.
  static V log1p(V x) {
    const V u = x + 1.f;
    const Split d = splitExponent(u);
    const V lost = u > 2.f ? 1.f - (u - x) : x - (u - 1.f), c = lost / u;
    const Bits near = d.k == 0.f;  // there f = x is exact
    const V y = logOf(d.k, near ? x : d.f, near ? V{} : c);
    const Bits inside = (x > -1.f) & (x < infinity);
    const V tiny = magnitude(x) < 0x1p-126f ? x : y;  // its square underflows, and −0 stays
    return inside ? tiny : logBeyond(u);
  }

  static V sigmoid(V x) {
    const V e = exp(-magnitude(x));
    return (x < 0.f ? e : all(1)) / (e + 1.f);
  }

  static V tanh(V x) {
    const V a = magnitude(x), z = x * x;
    V y = z * -5.70498872745e-3f + 2.06390887954e-2f;
    y = y * z - 5.37397155531e-2f;
    y = y * z + 1.33314422036e-1f;
    y = y * z - 3.33332819422e-1f;
    const V small = y * z * x + x;
    const V large = 1.f - 2.f / (exp(a + a) + 1.f);
    const V signedLarge = floatOf(bitsOf(large) | (bitsOf(x) & static_cast<std::int32_t>(0x80000000)));
    return a < 0.625f ? small : signedLarge;
  }

  /// Sine and cosine are computed in double: half as many at a time.
  using D = typename Vector<double, Bytes>::type;
  using Half = typename Vector<float, Bytes / 2>::type;
  using DoubleBits = typename Vector<std::int64_t, Bytes>::type;
  /// Up to here n π/2 is exact enough in two pieces of π/2, of 25 and 53 bits.
  static constexpr float mostRadians = 0x1p27f;

  /// sin(x + shift π/2), |x| <= mostRadians; polynomials of FreeBSD's msun.
  template <int shift> static Half sinAt(Half radians) {
    const D x = __builtin_convertvector(radians, D);
    const D shifted = x * 6.36619772367581382433e-01 + 0x1.8p52, n = shifted - 0x1.8p52;
    const D r = (x - n * 1.57079631090164184570) - n * 1.58932547735281966916e-08, z = r * r;
    const DoubleBits quadrant = reinterpret_cast<DoubleBits>(shifted) + shift;  // in the low bits
    const D sine = r + r * z * (-0.166666666416265235595 + z * (0.0083333293858894631756 + z * (-0.000198393348360966317347 + z * 0.0000027183114939898219064)));
    const D cosine = 1. + z * (-0.499999997251031003120 + z * (0.0416666233237390631894 + z * (-0.00138867637746099294692 + z * 0.0000243904487962774090654)));
    const D y = (quadrant & 1) != 0 ? cosine : sine;
    return __builtin_convertvector(reinterpret_cast<D>(reinterpret_cast<DoubleBits>(y) ^ ((quadrant & 2) << 62)), Half);
  }
};

/// y = f(x) for whole vectors; the rest of a row is computed in a vector of its own.
template <class V, class F> inline void eachVector(const float* x, float* y, std::ptrdiff_t n, F f) {
  constexpr std::ptrdiff_t lanes = sizeof(V) / sizeof(float);
  std::ptrdiff_t i = 0;
  const auto at = [&](std::ptrdiff_t count) {
    V v{};
    std::memcpy(&v, x + i, static_cast<std::size_t>(count) * sizeof(float));
    v = f(v);
    std::memcpy(y + i, &v, static_cast<std::size_t>(count) * sizeof(float));
  };
  for (; i + lanes <= n; i += lanes) at(lanes);
  if (i < n) at(n - i);
}

template <int Bytes, int shift> void sinRow(const float* x, float* y, std::ptrdiff_t n) {
  using F = Functions<Bytes>;
  // without their signs floats are ordered as whole numbers are, NaN last
  std::uint32_t most = 0, bits;
  for (std::ptrdiff_t i = 0; i < n; i++) {
    std::memcpy(&bits, x + i, sizeof bits);
    most = most > (bits & 0x7fffffffu) ? most : bits & 0x7fffffffu;
  }
  float largest;
  std::memcpy(&largest, &most, sizeof largest);
  if (largest <= F::mostRadians) eachVector<typename F::Half>(x, y, n, F::template sinAt<shift>);
  else
    for (std::ptrdiff_t i = 0; i < n; i++) y[i] = static_cast<float>(shift == 0 ? std::sin(static_cast<double>(x[i])) : std::cos(static_cast<double>(x[i])));
}

}  // namespace
}  // namespace gradpack
