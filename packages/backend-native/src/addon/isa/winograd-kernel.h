// The passes of winograd.h in GCC's vector extensions. Points ±p share their even and their odd terms. In an unnamed namespace, see
// tile-kernel.h.
#pragma once
#include "tile-kernel.h"
#include "winograd.h"

namespace gradpack {
namespace {

/// The points beside 0 and ∞ are ±near and ±far, whose squares and products are exact in float32.
template <class Real> struct WinogradPoint {
  static constexpr Real near = Real(0.75), far = Real(1.5), nearSquare = near * near, farSquare = far * far, product = nearSquare * farSquare, sum = nearSquare + farSquare;
};

/// Rows of Bᵀ: the coefficients of the product of (x − q) over the other points q.
template <class V, class P> struct InputTransform {
  static constexpr int from = 6, to = 6;
  static void apply(const V (&d)[6], V (&v)[6]) {
    const V evenNear = d[4] - P::farSquare * d[2], oddNear = P::near * (d[3] - P::farSquare * d[1]);
    const V evenFar = d[4] - P::nearSquare * d[2], oddFar = P::far * (d[3] - P::nearSquare * d[1]);
    v[0] = P::product * d[0] - P::sum * d[2] + d[4];
    v[1] = evenNear + oddNear, v[2] = evenNear - oddNear;
    v[3] = evenFar + oddFar, v[4] = evenFar - oddFar;
    v[5] = P::product * d[1] - P::sum * d[3] + d[5];
  }
};

/// Rows of G: the kernel's polynomial at each point, divided by the product of the point's distances to the others.
template <class V, class P, int k> struct WeightTransform {
  static constexpr int from = k, to = 6;
  template <class Real> static void atPair(const V (&w)[k], Real point, Real scale, V& plus, V& minus) {
    V even = w[0], odd = w[1];
    Real power = point * point;
#pragma GCC unroll 5
    for (int i = 2; i < k; i++) {
      if (i % 2 == 0) even += power * w[i];
      else odd += power * w[i], power *= point * point;
    }
    even *= scale, odd *= point * scale;
    plus = even + odd, minus = even - odd;
  }
  static void apply(const V (&w)[k], V (&u)[6]) {
    u[0] = w[0] * (1 / P::product);
    atPair(w, P::near, 1 / (2 * P::nearSquare * (P::nearSquare - P::farSquare)), u[1], u[2]);
    atPair(w, P::far, 1 / (2 * P::farSquare * (P::farSquare - P::nearSquare)), u[3], u[4]);
    u[5] = w[k - 1];
  }
};

/// Rows of Aᵀ: powers of the points; ∞ meets the highest only.
template <class V, class P, int k> struct OutputTransform {
  static constexpr int from = 6, to = 7 - k;
  static void apply(const V (&p)[6], V (&y)[7 - k]) {
    const V evenNear = p[1] + p[2], oddNear = p[1] - p[2], evenFar = p[3] + p[4], oddFar = p[3] - p[4];
    y[0] = p[0] + evenNear + evenFar;
    auto near = P::near, far = P::far;
#pragma GCC unroll 5
    for (int i = 1; i < 7 - k; i++, near *= P::near, far *= P::far) y[i] = i % 2 == 0 ? near * evenNear + far * evenFar : near * oddNear + far * oddFar;
    y[6 - k] += p[5];
  }
};

template <class Real, int Bytes, class Transform>
void winogradPass(const Real* from, std::ptrdiff_t fromLine, std::ptrdiff_t fromStep, Real* to, std::ptrdiff_t toLine, std::ptrdiff_t toStep, std::ptrdiff_t lines) {
  using Loose = typename Vector<Real, Bytes>::loose;
  for (std::ptrdiff_t line = 0; line < lines; line++, from += fromLine, to += toLine) {
    typename Vector<Real, Bytes>::type in[Transform::from], out[Transform::to];
#pragma GCC unroll 6
    for (int i = 0; i < Transform::from; i++) in[i] = *reinterpret_cast<const Loose*>(from + i * fromStep);
    Transform::apply(in, out);
#pragma GCC unroll 6
    for (int i = 0; i < Transform::to; i++) *reinterpret_cast<Loose*>(to + i * toStep) = out[i];
  }
}

template <class Real, int Bytes> WinogradKernels<Real> makeWinograd() {
  using V = typename Vector<Real, Bytes>::type;
  using P = WinogradPoint<Real>;
  WinogradKernels<Real> kernels{};
  kernels.width = Vector<Real, Bytes>::lanes;
  kernels.input = winogradPass<Real, Bytes, InputTransform<V, P>>;
  const auto add = [&](auto k) {
    kernels.weight[k] = winogradPass<Real, Bytes, WeightTransform<V, P, k()>>;
    kernels.output[k] = winogradPass<Real, Bytes, OutputTransform<V, P, k()>>;
  };
  add(std::integral_constant<int, 2>{});
  add(std::integral_constant<int, 3>{});
  add(std::integral_constant<int, 4>{});
  add(std::integral_constant<int, 5>{});
  return kernels;
}

}  // namespace
}  // namespace gradpack
