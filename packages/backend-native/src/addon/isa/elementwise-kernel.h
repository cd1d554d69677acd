// The elementwise loops, compiled once per instruction set. `ivdep` is true: a result either is the operand's row or does not touch it.
#pragma once
#include "elementwise.h"
#include "functions.h"

namespace gradpack {
namespace {

template <class Real, class F> inline void eachLane(std::ptrdiff_t n, Real* y, F f) {
#pragma GCC ivdep
  for (std::ptrdiff_t i = 0; i < n; i++) y[i] = f(i);
}

template <class Real, UnaryOp op> void unaryRow(const Real* x, Real* y, std::ptrdiff_t n) {
  eachLane(n, y, [x](std::ptrdiff_t i) -> Real {
    const Real v = x[i];
    if constexpr (op == UnaryOp::neg) return -v;
    if constexpr (op == UnaryOp::abs) return std::fabs(v);
    if constexpr (op == UnaryOp::sign) return v > 0 ? Real(1) : v < 0 ? Real(-1) : v;
    if constexpr (op == UnaryOp::sqrt) return std::sqrt(v);
    if constexpr (op == UnaryOp::exp) return expOf(v);
    if constexpr (op == UnaryOp::expm1) return expm1Of(v);
    if constexpr (op == UnaryOp::log) return logOf(v);
    if constexpr (op == UnaryOp::log1p) return log1pOf(v);
    if constexpr (op == UnaryOp::sigmoid) return sigmoidOf(v);
    if constexpr (op == UnaryOp::tanh) return tanhOf(v);
    if constexpr (op == UnaryOp::sin) return sinOf(v);
    if constexpr (op == UnaryOp::cos) return cosOf(v);
    if constexpr (op == UnaryOp::floor) return std::floor(v);
  });
}

template <class Real, BinaryOp op> void binaryRow(const Real* a, const Real* b, Real* y, std::ptrdiff_t n) {
  eachLane(n, y, [a, b](std::ptrdiff_t i) -> Real {
    const Real x = a[i], z = b[i];
    if constexpr (op == BinaryOp::add) return x + z;
    if constexpr (op == BinaryOp::sub) return x - z;
    if constexpr (op == BinaryOp::mul) return x * z;
    if constexpr (op == BinaryOp::div) return x / z;
    // a NaN of either side goes through: of b because comparing with it is false
    if constexpr (op == BinaryOp::max) return (x > z) | (x != x) ? x : z;
    if constexpr (op == BinaryOp::min) return (x < z) | (x != x) ? x : z;
    if constexpr (op == BinaryOp::less) return x < z ? Real(1) : Real(0);
    if constexpr (op == BinaryOp::equal) return x == z ? Real(1) : Real(0);
  });
}

template <class Real> void whereRow(const Real* condition, const Real* a, const Real* b, Real* y, std::ptrdiff_t n) {
  eachLane(n, y, [=](std::ptrdiff_t i) {
    const Real x = a[i], z = b[i];
    return condition[i] != 0 ? x : z;
  });
}

/// Sixteen running sums: they vectorise without -ffast-math and lose less than one does.
template <class Real, class F> inline Real sumLanes(std::ptrdiff_t n, F f) {
  constexpr int ways = 16;
  Real part[ways] = {};
  std::ptrdiff_t i = 0;
  for (; i + ways <= n; i += ways)
    for (int j = 0; j < ways; j++) part[j] += f(i + j);
  for (int j = 0; i < n; i++, j++) part[j] += f(i);
  for (int half = ways / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) part[j] += part[j + half];
  return part[0];
}

template <class Real> Real sumRow(const Real* x, std::ptrdiff_t n) {
  return sumLanes<Real>(n, [x](std::ptrdiff_t i) { return x[i]; });
}
template <class Real> Real sumOfSquaresRow(const Real* x, std::ptrdiff_t n) {
  return sumLanes<Real>(n, [x](std::ptrdiff_t i) { return x[i] * x[i]; });
}
template <class Real> Real maximumRow(const Real* x, std::ptrdiff_t n) {
  Real best = x[0];
  for (std::ptrdiff_t i = 1; i < n; i++) best = (best > x[i]) | (best != best) ? best : x[i];
  return best;
}
template <class Real> void addScaledRow(Real w, const Real* x, Real* y, std::ptrdiff_t n) {
  eachLane(n, y, [=](std::ptrdiff_t i) { return y[i] + w * x[i]; });
}
template <class Real> void addSquaresRow(Real w, const Real* x, Real* y, std::ptrdiff_t n) {
  eachLane(n, y, [=](std::ptrdiff_t i) { return y[i] + (w * x[i]) * x[i]; });
}
template <class Real> void addProductsRow(Real w, const Real* x, const Real* p, Real* y, std::ptrdiff_t n) {
  eachLane(n, y, [=](std::ptrdiff_t i) { return y[i] + (w * x[i]) * p[i]; });
}
template <class Real> void addDeviationsRow(Real share, const Real* x, Real* mean, Real* spread, std::ptrdiff_t n) {
#pragma GCC ivdep
  for (std::ptrdiff_t i = 0; i < n; i++) {
    const Real d = x[i] - mean[i], m = mean[i] + d * share;
    spread[i] += d * (x[i] - m);
    mean[i] = m;
  }
}
template <class Real> void addDoubleRow(const Real* x, double* total, std::ptrdiff_t n) {
#pragma GCC ivdep
  for (std::ptrdiff_t i = 0; i < n; i++) total[i] += static_cast<double>(x[i]);
}

template <class Real> Elementwise<Real> makeElementwise() {
  return {{unaryRow<Real, UnaryOp::neg>, unaryRow<Real, UnaryOp::abs>, unaryRow<Real, UnaryOp::sign>, unaryRow<Real, UnaryOp::sqrt>, unaryRow<Real, UnaryOp::exp>,
           unaryRow<Real, UnaryOp::expm1>, unaryRow<Real, UnaryOp::log>, unaryRow<Real, UnaryOp::log1p>, unaryRow<Real, UnaryOp::sigmoid>, unaryRow<Real, UnaryOp::tanh>,
           unaryRow<Real, UnaryOp::sin>, unaryRow<Real, UnaryOp::cos>, unaryRow<Real, UnaryOp::floor>},
          {binaryRow<Real, BinaryOp::add>, binaryRow<Real, BinaryOp::sub>, binaryRow<Real, BinaryOp::mul>, binaryRow<Real, BinaryOp::div>, binaryRow<Real, BinaryOp::max>,
           binaryRow<Real, BinaryOp::min>, binaryRow<Real, BinaryOp::less>, binaryRow<Real, BinaryOp::equal>},
          whereRow<Real>, sumRow<Real>, maximumRow<Real>, sumOfSquaresRow<Real>, addScaledRow<Real>, addSquaresRow<Real>, addProductsRow<Real>, addDeviationsRow<Real>, addDoubleRow<Real>};
}

}  // namespace
}  // namespace gradpack
