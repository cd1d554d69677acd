// 16-byte vectors, 32 registers: tiles of 12 × 2 vectors. GRADPACK_NEON_TILES compiles it for other processors too, where it is slow:
// so the sanitizers run these tiles on machines without NEON.
#if defined(__aarch64__) || defined(GRADPACK_NEON_TILES)
#include "vector-isa.h"

namespace gradpack {

template <class Real> const Isa<Real>& neonIsa() {
  static const Isa<Real> made = makeVectorIsa<Real, 16, 12>();
  return made;
}

template const Isa<float>& neonIsa<float>();
template const Isa<double>& neonIsa<double>();

}  // namespace gradpack
#endif
