// The elementwise loops, compiled once per instruction set. `ivdep` is true: a result either is the operand's row or does not touch it.
#pragma once
#include "elementwise.h"
#include "functions.h"
#include "tile-kernel.h"

namespace gradpack {
namespace {

template <class Real, class F> inline void eachLane(std::ptrdiff_t n, Real* y, F f) {
#pragma GCC ivdep
  for (std::ptrdiff_t i = 0; i < n; i++) y[i] = f(i);
}

/// Double precision calls the C library for what is no single instruction.
template <class Real, UnaryOp op> void unaryRow(const Real* x, Real* y, std::ptrdiff_t n) {
  eachLane(n, y, [x](std::ptrdiff_t i) -> Real {
    const Real v = x[i];
    if constexpr (op == UnaryOp::neg) return -v;
    if constexpr (op == UnaryOp::abs) return std::fabs(v);
    if constexpr (op == UnaryOp::sign) return v > 0 ? Real(1) : v < 0 ? Real(-1) : v;
    if constexpr (op == UnaryOp::sqrt) return std::sqrt(v);
    if constexpr (op == UnaryOp::exp) return std::exp(v);
    if constexpr (op == UnaryOp::expm1) return std::expm1(v);
    if constexpr (op == UnaryOp::log) return std::log(v);
    if constexpr (op == UnaryOp::log1p) return std::log1p(v);
    if constexpr (op == UnaryOp::sigmoid) {
      const Real e = std::exp(-std::fabs(v)), s = 1 / (1 + e);
      return v < 0 ? e * s : s;
    }
    if constexpr (op == UnaryOp::tanh) return std::tanh(v);
    if constexpr (op == UnaryOp::sin) return std::sin(v);
    if constexpr (op == UnaryOp::cos) return std::cos(v);
    if constexpr (op == UnaryOp::floor) return std::floor(v);
  });
}

template <int Bytes, UnaryOp op> void unaryFloats(const float* x, float* y, std::ptrdiff_t n) {
  using F = Functions<Bytes>;
  using V = typename F::V;
  if constexpr (op == UnaryOp::exp) eachVector<V>(x, y, n, F::exp);
  else if constexpr (op == UnaryOp::expm1) eachVector<V>(x, y, n, F::expm1);
  else if constexpr (op == UnaryOp::log) eachVector<V>(x, y, n, F::log);
  else if constexpr (op == UnaryOp::log1p) eachVector<V>(x, y, n, F::log1p);
  else if constexpr (op == UnaryOp::sigmoid) eachVector<V>(x, y, n, F::sigmoid);
  else if constexpr (op == UnaryOp::tanh) eachVector<V>(x, y, n, F::tanh);
  else if constexpr (op == UnaryOp::sin) sinRow<Bytes, 0>(x, y, n);
  else if constexpr (op == UnaryOp::cos) sinRow<Bytes, 1>(x, y, n);
  else unaryRow<float, op>(x, y, n);
}

/// An operand of a loop: a row, or one number, which the result may overwrite.
template <class Real, bool single> struct Entries {
  const Real* row;
  explicit Entries(const Real* x) : row(x) {}
  Real operator[](std::ptrdiff_t i) const { return row[i]; }
};
template <class Real> struct Entries<Real, true> {
  Real number;
  explicit Entries(const Real* x) : number(*x) {}
  Real operator[](std::ptrdiff_t) const { return number; }
};
constexpr bool isA(Single single) { return single == Single::a || single == Single::both; }
constexpr bool isB(Single single) { return single == Single::b || single == Single::both; }

template <class Real, BinaryOp op, Single single> void binaryRow(const Real* a, const Real* b, Real* y, std::ptrdiff_t n) {
  const Entries<Real, isA(single)> left(a);
  const Entries<Real, isB(single)> right(b);
  eachLane(n, y, [=](std::ptrdiff_t i) -> Real {
    const Real x = left[i], z = right[i];
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

template <class Real, Single single> void whereRow(const Real* condition, const Real* a, const Real* b, Real* y, std::ptrdiff_t n) {
  const Entries<Real, isA(single)> yes(a);
  const Entries<Real, isB(single)> no(b);
  eachLane(n, y, [=](std::ptrdiff_t i) {
    const Real x = yes[i], z = no[i];
    return condition[i] != 0 ? x : z;
  });
}

/// `Vectors` whole ones, then the last numbers of the row, which may be copied twice. A row has at least one vector.
template <class Real, int Bytes, int Vectors> void copyVectors(const Real* x, std::ptrdiff_t lx, Real* y, std::ptrdiff_t ly, std::ptrdiff_t rows, std::ptrdiff_t n) {
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  const auto copy = [](const Real* from, Real* to) { *reinterpret_cast<Loose*>(to) = *reinterpret_cast<const Loose*>(from); };
  for (std::ptrdiff_t r = 0; r < rows; r++, x += lx, y += ly) {
    if constexpr (Vectors > 0) {
#pragma GCC unroll 4
      for (int i = 0; i < Vectors; i++) copy(x + i * lanes, y + i * lanes);
    } else {
      for (std::ptrdiff_t i = 0; i + lanes < n; i += lanes) copy(x + i, y + i);
    }
    copy(x + n - lanes, y + n - lanes);
  }
}

/// Vectors get shorter until a row has one.
template <class Real, int Bytes> void copyRows(const Real* x, std::ptrdiff_t lx, Real* y, std::ptrdiff_t ly, std::ptrdiff_t rows, std::ptrdiff_t n) {
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  if constexpr (lanes == 1) {
    for (std::ptrdiff_t r = 0; r < rows; r++, x += lx, y += ly)
      for (std::ptrdiff_t i = 0; i < n; i++) y[i] = x[i];
  } else {
    if (n < lanes) return copyRows<Real, Bytes / 2>(x, lx, y, ly, rows, n);
    if (n <= 2 * lanes) return copyVectors<Real, Bytes, 1>(x, lx, y, ly, rows, n);
    if (n <= 3 * lanes) return copyVectors<Real, Bytes, 2>(x, lx, y, ly, rows, n);
    if (n <= 4 * lanes) return copyVectors<Real, Bytes, 3>(x, lx, y, ly, rows, n);
    copyVectors<Real, Bytes, 0>(x, lx, y, ly, rows, n);
  }
}

/// The sum of f(vector of x) over a row, in four vectors: they hide an addition's latency and lose less than one sum does.
template <class Real, int Bytes, class F> inline Real sumVectors(const Real* x, std::ptrdiff_t n, F f) {
  using V = typename Vector<Real, Bytes>::type;
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes, ways = 4;
  V part[ways] = {};
  std::ptrdiff_t i = 0;
  for (; i + ways * lanes <= n; i += ways * lanes)
    for (int way = 0; way < ways; way++) part[way] += f(V(*reinterpret_cast<const Loose*>(x + i + way * lanes)));
  for (; i + lanes <= n; i += lanes) part[0] += f(V(*reinterpret_cast<const Loose*>(x + i)));
  const V sum = (part[0] + part[1]) + (part[2] + part[3]);
  Real total = 0;
  for (; i < n; i++) total += f(x[i]);
  for (int lane = 0; lane < lanes; lane++) total += sum[lane];
  return total;
}

template <class Real, int Bytes> Real sumRow(const Real* x, std::ptrdiff_t n) {
  return sumVectors<Real, Bytes>(x, n, [](auto v) { return v; });
}
template <class Real, int Bytes> Real sumOfSquaresRow(const Real* x, std::ptrdiff_t n) {
  return sumVectors<Real, Bytes>(x, n, [](auto v) { return v * v; });
}

/// x·0 is NaN for NaN and ∞, and stays so in a sum.
template <class Real, int Bytes> bool finiteRow(const Real* x, std::ptrdiff_t n) {
  return sumVectors<Real, Bytes>(x, n, [](auto v) { return v * 0; }) == 0;
}

/// Rows below this length are summed one number after another: the processor works on several of them at a time.
constexpr std::ptrdiff_t shortRow = 24;

template <class Real, int Bytes> void sumsOfRows(const Real* x, std::ptrdiff_t rows, std::ptrdiff_t n, double* totals) {
  for (std::ptrdiff_t r = 0; r < rows; r++, x += n) {
    if (n >= shortRow) {
      totals[r] = sumRow<Real, Bytes>(x, n);
      continue;
    }
    double even = 0, odd = 0;
    std::ptrdiff_t i = 0;
    for (; i + 2 <= n; i += 2) even += x[i], odd += x[i + 1];
    totals[r] = i < n ? even + odd + x[i] : even + odd;
  }
}

template <class Real> inline Real largerOf(Real a, Real b) { return (a > b) | (a != a) ? a : b; }

/// The last vector overlaps the one before: a maximum may see an entry twice.
template <class Real, int Bytes> Real maximumRow(const Real* x, std::ptrdiff_t n) {
  using V = typename Vector<Real, Bytes>::type;
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes, ways = 4;
  const auto at = [x](std::ptrdiff_t i) { return V(*reinterpret_cast<const Loose*>(x + i)); };
  V parts[ways];
  for (V& part : parts) part = at(0);
  auto anyNaN = parts[0] != parts[0];
  const auto take = [&](V& part, V v) {
    part = v > part ? v : part;
    anyNaN |= v != v;
  };
  std::ptrdiff_t i = lanes;
  for (; i + ways * lanes <= n; i += ways * lanes)
    for (int way = 0; way < ways; way++) take(parts[way], at(i + way * lanes));
  for (; i + lanes <= n; i += lanes) take(parts[0], at(i));
  take(parts[1], at(n - lanes));
  for (int way = 1; way < ways; way++) parts[0] = parts[way] > parts[0] ? parts[way] : parts[0];
  parts[0] = anyNaN ? V{} + std::numeric_limits<Real>::quiet_NaN() : parts[0];
  Real best[lanes];
  std::memcpy(best, &parts[0], sizeof best);
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) best[lane] = largerOf(best[lane], best[lane + half]);
  return best[0];
}

template <class Real, int Bytes> void maximaOfRows(const Real* x, std::ptrdiff_t rows, std::ptrdiff_t n, double* totals) {
  for (std::ptrdiff_t r = 0; r < rows; r++, x += n) {
    if (n >= shortRow) {
      totals[r] = maximumRow<Real, Bytes>(x, n);
      continue;
    }
    Real best = x[0];
    for (std::ptrdiff_t i = 1; i < n; i++) best = largerOf(best, x[i]);
    totals[r] = best;
  }
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
template <class Real> void addDoubleRows(const Real* x, std::ptrdiff_t stride, std::ptrdiff_t rows, double* total, std::ptrdiff_t n) {
  // eight rows at a time, so that totals are read and written once for all
  for (; rows >= 8; rows -= 8, x += 8 * stride) {
#pragma GCC ivdep
    for (std::ptrdiff_t i = 0; i < n; i++) {
      const auto at = [&](int row) { return static_cast<double>(x[row * stride + i]); };
      total[i] += ((at(0) + at(1)) + (at(2) + at(3))) + ((at(4) + at(5)) + (at(6) + at(7)));
    }
  }
  for (; rows > 0; rows--, x += stride) {
#pragma GCC ivdep
    for (std::ptrdiff_t i = 0; i < n; i++) total[i] += static_cast<double>(x[i]);
  }
}

template <int Bytes, int... op> void fillUnary(Elementwise<float>& to, std::integer_sequence<int, op...>) {
  ((to.unary[op] = unaryFloats<Bytes, static_cast<UnaryOp>(op)>), ...);
}
template <int Bytes, int... op> void fillUnary(Elementwise<double>& to, std::integer_sequence<int, op...>) {
  ((to.unary[op] = unaryRow<double, static_cast<UnaryOp>(op)>), ...);
}
template <class Real, BinaryOp op> void fillForms(Elementwise<Real>& to) {
  auto& forms = to.binary[static_cast<int>(op)];
  forms[static_cast<int>(Single::neither)] = binaryRow<Real, op, Single::neither>;
  forms[static_cast<int>(Single::a)] = binaryRow<Real, op, Single::a>;
  forms[static_cast<int>(Single::b)] = binaryRow<Real, op, Single::b>;
}
template <class Real, int... op> void fillBinary(Elementwise<Real>& to, std::integer_sequence<int, op...>) {
  (fillForms<Real, static_cast<BinaryOp>(op)>(to), ...);
}
template <class Real, int... single> void fillWhere(Elementwise<Real>& to, std::integer_sequence<int, single...>) {
  ((to.where[single] = whereRow<Real, static_cast<Single>(single)>), ...);
}

template <class Real, int Bytes> Elementwise<Real> makeElementwise() {
  Elementwise<Real> made{};
  fillUnary<Bytes>(made, std::make_integer_sequence<int, static_cast<int>(UnaryOp::count)>{});
  fillBinary(made, std::make_integer_sequence<int, static_cast<int>(BinaryOp::count)>{});
  fillWhere(made, std::make_integer_sequence<int, static_cast<int>(Single::count)>{});
  made.copyRows = copyRows<Real, Bytes>;
  made.square = [](const Real* x, Real* y, std::ptrdiff_t n) { binaryRow<Real, BinaryOp::mul, Single::neither>(x, x, y, n); };
  made.sum = sumRow<Real, Bytes>;
  made.sums = sumsOfRows<Real, Bytes>;
  made.maxima = maximaOfRows<Real, Bytes>;
  made.finite = finiteRow<Real, Bytes>;
  made.sumOfSquares = sumOfSquaresRow<Real, Bytes>;
  made.addScaled = addScaledRow<Real>;
  made.addSquares = addSquaresRow<Real>;
  made.addProducts = addProductsRow<Real>;
  made.addDeviations = addDeviationsRow<Real>;
  made.addDoubles = addDoubleRows<Real>;
  return made;
}

}  // namespace
}  // namespace gradpack
