// 16-byte vectors: SSE2, or what the compiler makes of them.
#include "vector-isa.h"

namespace gradpack {

template <class Real> const Isa<Real>& portableIsa() {
  static const Isa<Real> made = makeVectorIsa<Real, 16, 6>();
  return made;
}

template const Isa<float>& portableIsa<float>();
template const Isa<double>& portableIsa<double>();

}  // namespace gradpack
