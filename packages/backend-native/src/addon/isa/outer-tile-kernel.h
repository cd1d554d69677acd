// The tiles of outer-tiles.h in GCC's vector extensions, included by each instruction set's file like tile-kernel.h.
#pragma once
#include <algorithm>

#include "outer-tiles.h"
#include "stream.h"
#include "tile-kernel.h"

namespace gradpack {
namespace {

template <class Real, int Bytes, int M, int N>
void outerTile(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, const TileReductions<Real>& out) {
  using V = typename Vector<Real, Bytes>::type;
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes, width = N * lanes;
  V r[M][N];
#pragma GCC unroll 16
  for (int i = 0; i < M; i++)
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) r[i][j] = V{};
#pragma GCC unroll 2
  for (std::ptrdiff_t q = 0; q < k; q++, a += la, b += lb) {
    V y[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) y[j] = *reinterpret_cast<const Loose*>(b + j * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < M; i++)
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) r[i][j] += a[i] * y[j];
  }
  const auto eachVector = [&](auto body) {
#pragma GCC unroll 16
    for (int i = 0; i < M; i++)
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) body(r[i][j], i, j);
  };
  const auto at = [](Real* cells, int i, int j) -> Loose& { return *reinterpret_cast<Loose*>(cells + i * width + j * lanes); };
  if (out.norm != nullptr) {
    V part[2] = {at(out.norm, 0, 0), V{}};
    eachVector([&](V x, int i, int j) { part[(i * N + j) % 2] += x * x; });
    at(out.norm, 0, 0) = part[0] + part[1];
  }
  if (out.sum != nullptr) eachVector([&](V x, int i, int j) { at(out.sum, i, j) += out.sumWeight * x; });
  if (out.square != nullptr) eachVector([&](V x, int i, int j) { at(out.square, i, j) += out.squareWeight * x * x; });
  if (out.mean != nullptr)
    eachVector([&](V x, int i, int j) {
      Loose &mean = at(out.mean, i, j), &spread = at(out.spread, i, j);
      const V before = x - mean, now = mean + before * out.share;
      spread += before * (x - now);
      mean = now;
    });
  if (out.cells != nullptr) eachVector([&](V x, int i, int j) { at(out.cells, i, j) = x; });
  if (out.each == nullptr) return;
  if (out.stream) {
    eachVector([&](V x, int i, int j) { streamVector(out.each + i * out.stride + j * lanes, x); });
  } else if (out.valid == width) {
    eachVector([&](V x, int i, int j) { *reinterpret_cast<Loose*>(out.each + i * out.stride + j * lanes) = x; });
  } else {
    alignas(Bytes) Real edge[M * width];
    eachVector([&](V x, int i, int j) { at(edge, i, j) = x; });
    for (int i = 0; i < M; i++) std::copy_n(edge + i * width, out.valid, out.each + i * out.stride);
  }
}

/// Holds 2·M·N accumulators: means and spreads.
template <class Real, int Bytes, int M, int N>
void spreadTile(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, Real share, Real* sum, Real* spread) {
  using V = typename Vector<Real, Bytes>::type;
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  V mean[M][N], square[M][N];
  const auto eachCell = [&](auto body) {
#pragma GCC unroll 16
    for (int i = 0; i < M; i++)
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) body(i, j);
  };
  const auto eachStep = [&](auto body) {
    const Real *p = a, *x = b;
    for (std::ptrdiff_t q = 0; q < k; q++, p += la, x += lb) {
      V y[N];
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) y[j] = *reinterpret_cast<const Loose*>(x + j * lanes);
      eachCell([&](int i, int j) { body(i, j, p[i], y[j]); });
    }
  };
  eachCell([&](int i, int j) { mean[i][j] = V{}; });
  eachStep([&](int i, int j, Real w, V y) { mean[i][j] += w * y; });
  eachCell([&](int i, int j) {
    *reinterpret_cast<Loose*>(sum + (i * N + j) * lanes) = mean[i][j];
    mean[i][j] *= share;
    square[i][j] = V{};
  });
  eachStep([&](int i, int j, Real w, V y) {
    const V d = w * y - mean[i][j];
    square[i][j] += d * d;
  });
  eachCell([&](int i, int j) { *reinterpret_cast<Loose*>(spread + (i * N + j) * lanes) = square[i][j]; });
}

template <class Real, int Bytes> void scaledRows(const Real* a, std::ptrdiff_t m, const Real* x, std::ptrdiff_t n, Real* y, std::ptrdiff_t ld, bool stream) {
  using V = typename Vector<Real, Bytes>::type;
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  const std::ptrdiff_t whole = n / lanes * lanes;
  for (std::ptrdiff_t r = 0; r < m; r++, y += ld) {
    const Real w = a[r];
    if (stream)
      for (std::ptrdiff_t i = 0; i < whole; i += lanes) streamVector<V>(y + i, w * *reinterpret_cast<const Loose*>(x + i));
    else
      for (std::ptrdiff_t i = 0; i < whole; i += lanes) *reinterpret_cast<Loose*>(y + i) = w * *reinterpret_cast<const Loose*>(x + i);
    for (std::ptrdiff_t i = whole; i < n; i++) y[i] = w * x[i];
  }
}

template <class Real, int Bytes, int N, int... M> void fillOuterTiles(OuterTile<Real>* at, std::integer_sequence<int, M...>) {
  ((at[M + 1] = outerTile<Real, Bytes, M + 1, N>), ...);
}
template <class Real, int Bytes, int N, int... M> void fillSpreadTiles(SpreadTile<Real>* at, std::integer_sequence<int, M...>) {
  ((at[M + 1] = spreadTile<Real, Bytes, M + 1, N>), ...);
}

/// `Rows` as for `makeTiles`; `SpreadRows` twice as many accumulators a row.
template <class Real, int Bytes, int Rows, int SpreadRows> OuterTiles<Real> makeOuterTiles() {
  OuterTiles<Real> tiles{};
  tiles.lanes = Vector<Real, Bytes>::lanes;
  tiles.spreadRows = SpreadRows;
  fillOuterTiles<Real, Bytes, 2>(tiles.wide, std::make_integer_sequence<int, Rows>{});
  fillOuterTiles<Real, Bytes, 1>(tiles.narrow, std::make_integer_sequence<int, Rows>{});
  fillSpreadTiles<Real, Bytes, 2>(tiles.spreadWide, std::make_integer_sequence<int, SpreadRows>{});
  fillSpreadTiles<Real, Bytes, 1>(tiles.spreadNarrow, std::make_integer_sequence<int, SpreadRows>{});
  tiles.scaledRows = scaledRows<Real, Bytes>;
  return tiles;
}

}  // namespace
}  // namespace gradpack
