// What the elementwise kernels need from an instruction set: loops over short rows. A result may be the very row of an operand.
#pragma once
#include <cstddef>

namespace gradpack {

/// Numbered as UNARY_OPS and BINARY_OPS of core's expression.ts.
enum class UnaryOp : int { neg, abs, sign, sqrt, exp, expm1, log, log1p, sigmoid, tanh, sin, cos, floor, count };
enum class BinaryOp : int { add, sub, mul, div, max, min, less, equal, count };

/// Which operands of an operation are one number instead of a row of them.
enum class Single : int { neither, a, b, both, count };

template <class Real> struct Elementwise {
  void (*unary[static_cast<int>(UnaryOp::count)])(const Real* x, Real* y, std::ptrdiff_t n);
  void (*binary[static_cast<int>(BinaryOp::count)][static_cast<int>(Single::both)])(const Real* a, const Real* b, Real* y, std::ptrdiff_t n);
  /// The condition is a row.
  void (*where[static_cast<int>(Single::count)])(const Real* condition, const Real* a, const Real* b, Real* y, std::ptrdiff_t n);

  /// y[r·ly + i] = x[r·lx + i], r < rows, i < n: for rows that are shorter than what memcpy is made for.
  void (*copyRows)(const Real* x, std::ptrdiff_t lx, Real* y, std::ptrdiff_t ly, std::ptrdiff_t rows, std::ptrdiff_t n);
  /// y = x²
  void (*square)(const Real* x, Real* y, std::ptrdiff_t n);
  Real (*sum)(const Real* x, std::ptrdiff_t n);
  /// totals[r] = the sum, or the maximum (NaN where there is one), of x[r·n …], r < rows
  void (*sums)(const Real* x, std::ptrdiff_t rows, std::ptrdiff_t n, double* totals);
  void (*maxima)(const Real* x, std::ptrdiff_t rows, std::ptrdiff_t n, double* totals);
  /// Whether all numbers are finite.
  bool (*finite)(const Real* x, std::ptrdiff_t n);
  Real (*sumOfSquares)(const Real* x, std::ptrdiff_t n);
  /// y += w x
  void (*addScaled)(Real w, const Real* x, Real* y, std::ptrdiff_t n);
  /// y += w x²
  void (*addSquares)(Real w, const Real* x, Real* y, std::ptrdiff_t n);
  /// y += w x p
  void (*addProducts)(Real w, const Real* x, const Real* p, Real* y, std::ptrdiff_t n);
  /// Welford's update with the sample number 1/`share`: mean += (x − mean) share, spread += (x − old mean)(x − new mean).
  void (*addDeviations)(Real share, const Real* x, Real* mean, Real* spread, std::ptrdiff_t n);
  /// total += Σ_r x[r·stride …] in double, r < rows
  void (*addDoubles)(const Real* x, std::ptrdiff_t stride, std::ptrdiff_t rows, double* total, std::ptrdiff_t n);
};

}  // namespace gradpack
