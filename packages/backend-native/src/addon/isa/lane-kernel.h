// The lane kernels over a vector type that each instruction set's file describes by a struct L:
//   Real, Vector, Mask, width
//   mask(bits)           lanes as a Mask
//   load(mask, p)        p[lane] where the mask has it, else 0; nothing else is read
//   over(x, mask, p)     x with those lanes replaced
//   store(bits, p, x)    p[lane] = x[lane] for those lanes; nothing else is written
//   transpose(x)         of a square block of vectors
// In an unnamed namespace, see tile-kernel.h.
#pragma once
#include <type_traits>

#include "lanes.h"

namespace gradpack {
namespace {

/// The pieces of one vector.
template <class L> struct VectorPieces {
  using Real = typename L::Real;
  const std::int32_t* offset;
  const std::uint32_t* bits;
  int count;
  typename L::Mask mask[L::width < 4 ? 4 : L::width] = {};

  VectorPieces(const Lanes& lanes, std::ptrdiff_t v) {
    const std::size_t from = static_cast<std::size_t>(lanes.first[static_cast<std::size_t>(v)]), to = static_cast<std::size_t>(lanes.first[static_cast<std::size_t>(v) + 1]);
    offset = lanes.offset.data() + from, bits = lanes.mask.data() + from, count = static_cast<int>(to - from);
    for (int s = 0; s < count; s++) mask[s] = L::mask(bits[s]);
  }
  /// Of `Count` pieces, 0 where that is not known.
  template <int Count> typename L::Vector load(const Real* p) const {
    typename L::Vector x = L::load(mask[0], p + offset[0]);
#pragma GCC unroll 4
    for (int s = 1; s < (Count > 0 ? Count : count); s++) x = L::over(x, mask[s], p + offset[s]);
    return x;
  }
  /// body(count) with a count that the compiler knows, where it is small.
  template <class F> void known(const F& body) const {
    switch (count) {
      case 1: return body(std::integral_constant<int, 1>{});
      case 2: return body(std::integral_constant<int, 2>{});
      case 3: return body(std::integral_constant<int, 3>{});
      case 4: return body(std::integral_constant<int, 4>{});
      default: return body(std::integral_constant<int, 0>{});
    }
  }
};

template <class L> void packLanes(const Lanes& lanes, std::ptrdiff_t v, const typename L::Real* x, const std::int32_t* rows, std::ptrdiff_t k, typename L::Real* d, std::ptrdiff_t ld) {
  constexpr std::uint32_t all = (1u << L::width) - 1;
  const VectorPieces<L> pieces(lanes, v);
  pieces.known([&](auto count) {
    for (std::ptrdiff_t q = 0; q < k; q++, d += ld) L::store(all, d, pieces.template load<count()>(x + rows[q]));
  });
}

template <class L> void packLanesTransposed(const Lanes& lanes, std::ptrdiff_t v, const typename L::Real* x, const std::int32_t* rows, int m, typename L::Real* d, std::ptrdiff_t ld) {
  constexpr std::uint32_t all = (1u << L::width) - 1;
  const VectorPieces<L> pieces(lanes, v);
  const int columns = 32 - __builtin_clz(pieces.bits[pieces.count - 1]);
  pieces.known([&](auto count) {
    typename L::Vector block[L::width];
#pragma GCC unroll 16
    for (int r = 0; r < L::width; r++) block[r] = r < m ? pieces.template load<count()>(x + rows[r]) : typename L::Vector{};
    L::transpose(block);
#pragma GCC unroll 16
    for (int c = 0; c < L::width; c++)
      if (c < columns) L::store(all, d + c * ld, block[c]);
  });
}

template <class L> void storeLanes(const Lanes& lanes, std::ptrdiff_t v, const typename L::Real* s, std::ptrdiff_t ls, int m, typename L::Real* y, std::ptrdiff_t ly, bool add) {
  const VectorPieces<L> pieces(lanes, v);
  const typename L::Mask all = L::mask((1u << L::width) - 1);
  for (int r = 0; r < m; r++, s += ls, y += ly) {
    const typename L::Vector x = L::load(all, s);
    for (int piece = 0; piece < pieces.count; piece++) {
      typename L::Real* to = y + pieces.offset[piece];
      L::store(pieces.bits[piece], to, add ? x + L::load(pieces.mask[piece], to) : x);
    }
  }
}

template <class L> void foldLanes(const Lanes& lanes, const typename L::Real* s, typename L::Real* y) {
  const typename L::Mask all = L::mask((1u << L::width) - 1);
  for (std::ptrdiff_t v = 0; v < lanes.vectors(); v++, s += L::width) {
    const typename L::Vector x = L::load(all, s);
    for (std::int32_t piece = lanes.first[static_cast<std::size_t>(v)]; piece < lanes.first[static_cast<std::size_t>(v) + 1]; piece++) {
      const std::uint32_t bits = lanes.mask[static_cast<std::size_t>(piece)];
      typename L::Real* to = y + lanes.offset[static_cast<std::size_t>(piece)];
      L::store(bits, to, x + L::load(L::mask(bits), to));
    }
  }
}

/// For vectors that have no better one.
template <class Vector, int width> void transposeEntries(Vector (&x)[width]) {
  for (int i = 0; i < width; i++)
    for (int j = 0; j < i; j++) {
      const auto above = x[j][i];
      x[j][i] = x[i][j];
      x[i][j] = above;
    }
}

template <class L> LaneKernels<typename L::Real> makeLanes() { return {L::width, packLanes<L>, packLanesTransposed<L>, storeLanes<L>, foldLanes<L>}; }

}  // namespace
}  // namespace gradpack
