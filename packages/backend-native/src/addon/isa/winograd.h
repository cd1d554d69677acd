// Minimal filtering along one axis: a tile of m outputs of a kernel of k = 7 − m offsets takes 6 products instead of m·k, one for each
// point at which polynomials of the tile and of the kernel are evaluated (S. Winograd, Arithmetic Complexity of Computations, 1980;
// A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016). With the points 0, ±3/4, ±3/2 and ∞ the error is
// 1.5 to 2 times that of the plain sum, for all k; with the usual 0, ±1, ±2 it is 4 times.
#pragma once
#include <cstddef>

namespace gradpack {

/// Points along an axis.
constexpr int winogradPoints = 6;
constexpr int shortestWinograd = 2, longestWinograd = 5;

/// For line l < lines: steps at from + l·fromLine + i·fromStep, each a vector of `width` numbers, become steps of `to`.
template <class Real>
using WinogradPass = void (*)(const Real* from, std::ptrdiff_t fromLine, std::ptrdiff_t fromStep, Real* to, std::ptrdiff_t toLine, std::ptrdiff_t toStep, std::ptrdiff_t lines);

template <class Real> struct WinogradKernels {
  int width;
  /// 6 neighbours of the input → 6 points.
  WinogradPass<Real> input;
  /// By the kernel's extent k: its k offsets → 6 points, and 6 products → 7 − k outputs.
  WinogradPass<Real> weight[longestWinograd + 1], output[longestWinograd + 1];
};

}  // namespace gradpack
