// Elementary functions that vectorise: no branches, no calls, no tables. Single precision within 2 ulp (0, infinities, NaN and
// subnormals right); double precision calls the C library. In an unnamed namespace, see tile-kernel.h.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace gradpack {
namespace {

inline std::uint32_t bitsOf(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float floatOf(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

constexpr float infinityOf = std::numeric_limits<float>::infinity();

/// x = n ln 2 + r, |r| <= ln 2 / 2. Adding 1.5·2²³ rounds to a whole number, which then stands in the low bits.
struct Reduced {
  float r;
  std::uint32_t n;
};
inline Reduced reduceByLog2(float x) {
  const float shifted = x * 1.44269504f + 12582912.f;
  const float n = shifted - 12582912.f;
  return {(x - n * 0.693359375f) - n * -2.12194440e-4f, bitsOf(shifted) - bitsOf(12582912.f)};
}
/// 2^n for −126 <= n <= 127.
inline float powerOfTwo(std::uint32_t n) { return floatOf((n + 127u) << 23); }
/// (e^r − 1 − r) / r² for |r| <= ln 2 / 2 (Cephes).
inline float expTail(float r) {
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  return y * r + 5.0000001201e-1f;
}

inline float expOf(float x) {
  x = x < -105.f ? -105.f : x;
  x = x > 90.f ? 90.f : x;
  const Reduced d = reduceByLog2(x);
  const float y = expTail(d.r) * (d.r * d.r) + d.r + 1.f;
  // in two steps: 2^n alone is out of range at both ends
  const std::uint32_t half = static_cast<std::uint32_t>(static_cast<std::int32_t>(d.n) >> 1);
  return y * powerOfTwo(half) * powerOfTwo(d.n - half);
}

inline float expm1Of(float x) {
  const float c = x < -30.f ? -30.f : x > 87.f ? 87.f : x;
  const Reduced d = reduceByLog2(c);
  const float p = expTail(d.r) * (d.r * d.r) + d.r, s = powerOfTwo(d.n);
  const float y = s * p + (s - 1.f), large = expOf(x);
  return x > 87.f ? large : y;
}

inline float logOf(float x) {
  const bool subnormal = x < 1.17549435e-38f;
  const float scaled = subnormal ? x * 8388608.f : x;
  const std::uint32_t bits = bitsOf(scaled);
  float m = floatOf((bits & 0x007fffffu) | 0x3f800000u);
  const bool upper = m > 1.41421356f;
  m = upper ? m * .5f : m;
  const float e = static_cast<float>(static_cast<std::int32_t>(bits >> 23) - 127) + (upper ? 1.f : 0.f) - (subnormal ? 23.f : 0.f);
  const float r = m - 1.f, z = r * r;
  float y = 7.0376836292e-2f;
  y = y * r - 1.1514610310e-1f;
  y = y * r + 1.1676998740e-1f;
  y = y * r - 1.2420140846e-1f;
  y = y * r + 1.4249322787e-1f;
  y = y * r - 1.6668057665e-1f;
  y = y * r + 2.0000714765e-1f;
  y = y * r - 2.4999993993e-1f;
  y = y * r + 3.3333331174e-1f;
  y = y * r * z + e * -2.12194440e-4f - .5f * z;
  float result = (r + y) + e * 0.693359375f;
  result = x == infinityOf ? x : result;
  result = x == 0.f ? -infinityOf : result;
  return x >= 0.f ? result : std::numeric_limits<float>::quiet_NaN();
}

/// log(u) x / (u − 1) with u = 1 + x rounded: the rounding of u cancels (Kahan).
inline float log1pOf(float x) {
  const float u = 1.f + x, d = u - 1.f;
  const float y = logOf(u) * (x / d);
  const float near = d == 0.f ? x : y;
  return x == infinityOf ? x : near;
}

inline float sigmoidOf(float x) {
  const float e = expOf(-std::fabs(x)), s = 1.f / (1.f + e);
  return x < 0.f ? e * s : s;
}

inline float tanhOf(float x) {
  const float a = std::fabs(x), z = x * x;
  float y = -5.70498872745e-3f;
  y = y * z + 2.06390887954e-2f;
  y = y * z - 5.37397155531e-2f;
  y = y * z + 1.33314422036e-1f;
  y = y * z - 3.33332819422e-1f;
  const float small = y * z * x + x;
  const float large = 1.f - 2.f / (expOf(2.f * a) + 1.f);
  return a < 0.625f ? small : std::copysign(large, x);
}

inline float sinOf(float x) { return std::sin(x); }
inline float cosOf(float x) { return std::cos(x); }

inline double expOf(double x) { return std::exp(x); }
inline double expm1Of(double x) { return std::expm1(x); }
inline double logOf(double x) { return std::log(x); }
inline double log1pOf(double x) { return std::log1p(x); }
inline double sigmoidOf(double x) {
  const double e = std::exp(-std::fabs(x)), s = 1 / (1 + e);
  return x < 0 ? e * s : s;
}
inline double tanhOf(double x) { return std::tanh(x); }
inline double sinOf(double x) { return std::sin(x); }
inline double cosOf(double x) { return std::cos(x); }

}  // namespace
}  // namespace gradpack
