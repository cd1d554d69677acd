// The register tile in GCC's vector extensions, included by each instruction set's file, which chooses vector bytes and tile size.
// Everything is in an unnamed namespace: a template shared between files of different flags would be merged by the linker, and a
// machine without AVX-512 could be handed the AVX-512 copy.
#pragma once
#include <cstddef>
#include <utility>

#include "tiles.h"

namespace gradpack {
namespace {

template <class Real, int Bytes> struct Vector {
  typedef Real type __attribute__((vector_size(Bytes)));
  /// The same at any address.
  typedef Real loose __attribute__((vector_size(Bytes), aligned(sizeof(Real)), may_alias));
  static constexpr int lanes = Bytes / static_cast<int>(sizeof(Real));
};

/// r[M][N] += Σ_k a[k·la + m] b[k·lb …], N vectors wide. The accumulators stay in registers: M·N + N + 1 of them.
template <class Real, int Bytes, int M, int N>
inline void accumulateTile(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, typename Vector<Real, Bytes>::type (&r)[M][N]) {
  constexpr int lanes = Vector<Real, Bytes>::lanes;
#pragma GCC unroll 16
  for (int i = 0; i < M; i++)
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) r[i][j] = typename Vector<Real, Bytes>::type{};
#pragma GCC unroll 2
  for (std::ptrdiff_t q = 0; q < k; q++, a += la, b += lb) {
    typename Vector<Real, Bytes>::type y[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) y[j] = *reinterpret_cast<const typename Vector<Real, Bytes>::loose*>(b + j * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < M; i++)
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) r[i][j] += a[i] * y[j];
  }
}

template <class Real, int Bytes, int M, int N>
void tile(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, Real* c, std::ptrdiff_t lc, bool add) {
  typename Vector<Real, Bytes>::type r[M][N];
#pragma GCC unroll 16
  for (int i = 0; i < M; i++)
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) __builtin_prefetch(c + i * lc + j * Vector<Real, Bytes>::lanes, 1);
  accumulateTile<Real, Bytes, M, N>(k, a, la, b, lb, r);
#pragma GCC unroll 16
  for (int i = 0; i < M; i++, c += lc)
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) {
      auto* out = reinterpret_cast<typename Vector<Real, Bytes>::loose*>(c + j * Vector<Real, Bytes>::lanes);
      *out = add ? *out + r[i][j] : r[i][j];
    }
}

template <class Real, int Bytes, int M, int N> void blockedTile(std::ptrdiff_t k, const Real* a, const Real* b, std::ptrdiff_t lb, Real* c, std::ptrdiff_t lc) {
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  using Loose = typename Vector<Real, Bytes>::loose;
  typename Vector<Real, Bytes>::type r[M][N];
#pragma GCC unroll 16
  for (int i = 0; i < M; i++)
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) r[i][j] = typename Vector<Real, Bytes>::type{};
  for (; k > 0; k -= lanes, a += (M - 1) * lanes)
#pragma GCC unroll 2
    for (std::ptrdiff_t q = k < lanes ? k : lanes; q > 0; q--, a++, b += lb) {
      typename Vector<Real, Bytes>::type y[N];
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) y[j] = *reinterpret_cast<const Loose*>(b + j * lanes);
#pragma GCC unroll 16
      for (int i = 0; i < M; i++)
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) r[i][j] += a[i * lanes] * y[j];
    }
#pragma GCC unroll 16
  for (int i = 0; i < M; i++, c += lc)
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) *reinterpret_cast<Loose*>(c + j * lanes) = r[i][j];
}

template <class Real, int Bytes, int M, int N>
void scatterTile(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, Real* c, const std::int32_t* rows) {
  typename Vector<Real, Bytes>::type r[M][N];
  accumulateTile<Real, Bytes, M, N>(k, a, la, b, lb, r);
#pragma GCC unroll 16
  for (int i = 0; i < M; i++)
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) {
      auto* out = reinterpret_cast<typename Vector<Real, Bytes>::loose*>(c + rows[i] + j * Vector<Real, Bytes>::lanes);
      *out = *out + r[i][j];
    }
}

template <class Real, int Bytes, int N, int... M> void fillTiles(Tile<Real>* at, BlockedTile<Real>* blocked, ScatterTile<Real>* scatter, std::integer_sequence<int, M...>) {
  ((at[M + 1] = tile<Real, Bytes, M + 1, N>, blocked[M + 1] = blockedTile<Real, Bytes, M + 1, N>, scatter[M + 1] = scatterTile<Real, Bytes, M + 1, N>), ...);
}

template <class Real> void transposePlain(const Real* s, std::ptrdiff_t ls, int m, std::ptrdiff_t n, Real* d, std::ptrdiff_t ld) {
  for (std::ptrdiff_t q = 0; q < n; q++, d += ld)
    for (int r = 0; r < m; r++) d[r] = s[r * ls + q];
}

/// `Rows` must leave registers for two vectors of columns and one broadcast.
template <class Real, int Bytes, int Rows> Tiles<Real> makeTiles(void (*transpose)(const Real*, std::ptrdiff_t, int, std::ptrdiff_t, Real*, std::ptrdiff_t)) {
  Tiles<Real> tiles{};
  tiles.rows = Rows;
  tiles.columns = 2 * Vector<Real, Bytes>::lanes;
  fillTiles<Real, Bytes, 2>(tiles.wide, tiles.wideBlocked, tiles.wideScatter, std::make_integer_sequence<int, Rows>{});
  fillTiles<Real, Bytes, 1>(tiles.narrow, tiles.narrowBlocked, tiles.narrowScatter, std::make_integer_sequence<int, Rows>{});
  tiles.transpose = transpose;
  return tiles;
}

}  // namespace
}  // namespace gradpack
