// 16-byte vectors: SSE2, NEON, or what the compiler makes of them.
#include "elementwise-kernel.h"
#include "isa.h"
#include "planes-kernel.h"
#include "tile-kernel.h"

namespace gradpack {

template <class Real> const Isa<Real>& portableIsa() {
  static const Isa<Real> made{makeTiles<Real, 16, 6>(transposePlain<Real>), makeElementwise<Real, 16>(), makePlanes<Real, 16>()};
  return made;
}

template const Isa<float>& portableIsa<float>();
template const Isa<double>& portableIsa<double>();

}  // namespace gradpack
