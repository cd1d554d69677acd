// An instruction set that needs nothing but GCC's vector extensions.
#pragma once
#include "make-isa.h"

namespace gradpack {
namespace {

/// Lanes are moved one by one where a vector is not whole.
template <class Number, int Bytes> struct PlainLanes {
  using Real = Number;
  using Vector = typename gradpack::Vector<Real, Bytes>::type;
  using Loose = typename gradpack::Vector<Real, Bytes>::loose;
  using Mask = std::uint32_t;
  static constexpr int width = gradpack::Vector<Real, Bytes>::lanes;
  static constexpr Mask all = (1u << width) - 1;

  static Mask mask(std::uint32_t bits) { return bits; }
  static Vector load(Mask mask, const Real* p) { return over(Vector{}, mask, p); }
  static Vector over(Vector x, Mask mask, const Real* p) {
    if (mask == all) return *reinterpret_cast<const Loose*>(p);
    for (int lane = 0; lane < width; lane++)
      if (mask >> lane & 1) x[lane] = p[lane];
    return x;
  }
  static void store(std::uint32_t bits, Real* p, Vector x) {
    if (bits == all) *reinterpret_cast<Loose*>(p) = x;
    else
      for (int lane = 0; lane < width; lane++)
        if (bits >> lane & 1) p[lane] = x[lane];
  }
  static void transpose(Vector (&x)[width]) { transposeEntries(x); }
};

template <class Real, int Bytes, int Rows> Isa<Real> makeVectorIsa() { return makeIsa<PlainLanes<Real, Bytes>, Bytes, Rows>(transposePlain<Real>); }

}  // namespace
}  // namespace gradpack
