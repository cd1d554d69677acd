// 16-byte vectors: SSE2, NEON, or what the compiler makes of them.
#include "elementwise-kernel.h"
#include "isa.h"
#include "lane-kernel.h"
#include "outer-tile-kernel.h"
#include "planes-kernel.h"
#include "tile-kernel.h"

namespace gradpack {
namespace {

template <class Number> struct PlainLanes {
  using Real = Number;
  using Vector = typename gradpack::Vector<Real, 16>::type;
  using Loose = typename gradpack::Vector<Real, 16>::loose;
  using Mask = std::uint32_t;
  static constexpr int width = gradpack::Vector<Real, 16>::lanes;
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

}  // namespace

template <class Real> const Isa<Real>& portableIsa() {
  static const Isa<Real> made{makeTiles<Real, 16, 6>(transposePlain<Real>), makeElementwise<Real, 16>(), makePlanes<Real, 16>(), makeLanes<PlainLanes<Real>>(), makeOuterTiles<Real, 16, 6, 3>()};
  return made;
}

template const Isa<float>& portableIsa<float>();
template const Isa<double>& portableIsa<double>();

}  // namespace gradpack
