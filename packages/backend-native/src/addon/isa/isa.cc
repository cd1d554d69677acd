#include "isa.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace gradpack {
namespace {

#if defined(__aarch64__) || defined(GRADPACK_NEON_TILES)
#define GRADPACK_HAS_NEON
#endif

/// The later the better.
enum class Level { portable, neon, avx2, avx512 };
constexpr const char* names[] = {"portable", "neon", "avx2", "avx512"};

/// Whether the addon was compiled with its file and the machine has its instructions.
bool runs(Level level) {
  switch (level) {
#if defined(__x86_64__)
    case Level::avx512:
      return runs(Level::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case Level::avx2:
      __builtin_cpu_init();
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#if defined(GRADPACK_HAS_NEON)
    case Level::neon:
#endif
    case Level::portable:
      return true;
    default:
      return false;
  }
}

/// What GRADPACK_ISA asks for where it runs, else the best that does.
Level detect() {
  const char* asked = std::getenv("GRADPACK_ISA");
  Level best = Level::portable;
  for (const Level level : {Level::portable, Level::neon, Level::avx2, Level::avx512}) {
    if (!runs(level)) continue;
    if (asked != nullptr && std::strcmp(asked, names[static_cast<int>(level)]) == 0) return level;
    best = level;
  }
  return best;
}

Level level() {
  static const Level found = detect();
  return found;
}

}  // namespace

template <class Real> const Isa<Real>& isa() {
  switch (level()) {
#if defined(__x86_64__)
    case Level::avx512:
      return avx512Isa<Real>();
    case Level::avx2:
      return avx2Isa<Real>();
#endif
#if defined(GRADPACK_HAS_NEON)
    case Level::neon:
      return neonIsa<Real>();
#endif
    default:
      return portableIsa<Real>();
  }
}

const char* isaName() { return names[static_cast<int>(level())]; }

template const Isa<float>& isa<float>();
template const Isa<double>& isa<double>();

}  // namespace gradpack
