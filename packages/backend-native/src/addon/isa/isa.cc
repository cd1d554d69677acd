#include "isa.h"

#include <cstdlib>
#include <cstring>

namespace gradpack {
namespace {

enum class Level { portable, avx2, avx512 };

Level detect() {
  Level best = Level::portable;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = Level::avx2;
  if (best == Level::avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) best = Level::avx512;
#endif
  const char* asked = std::getenv("GRADPACK_ISA");
  if (asked == nullptr) return best;
  if (std::strcmp(asked, "portable") == 0) return Level::portable;
  if (std::strcmp(asked, "avx2") == 0 && best != Level::portable) return Level::avx2;
  return best;
}

Level level() {
  static const Level found = detect();
  return found;
}

}  // namespace

template <class Real> const Isa<Real>& isa() {
#if defined(__x86_64__)
  if (level() == Level::avx512) return avx512Isa<Real>();
  if (level() == Level::avx2) return avx2Isa<Real>();
#endif
  return portableIsa<Real>();
}

const char* isaName() { return level() == Level::avx512 ? "avx512" : level() == Level::avx2 ? "avx2" : "portable"; }

template const Isa<float>& isa<float>();
template const Isa<double>& isa<double>();

}  // namespace gradpack
