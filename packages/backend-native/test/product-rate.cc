// How fast matrix products are beside the register tile in L1, whose rate is the processor's peak of multiplications and additions
// (within 2 % of chains of FMA instructions on Zen 3 and Zen 4). Built and run by benchmarks/products.mjs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "../src/addon/gemm/blocked.h"
#include "../src/addon/isa/isa.h"
#include "../src/addon/threads/thread-pool.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace gradpack;

/// The shortest of many runs; seconds.
template <class F> double shortest(const F& body) {
  double best = 1e9;
  for (const Clock::time_point end = Clock::now() + std::chrono::milliseconds(700); Clock::now() < end;) {
    const Clock::time_point start = Clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

double tileRate(int threads) {
  constexpr std::ptrdiff_t k = 128, rounds = 2000;
  const Tiles<float>& tiles = isa<float>().tiles;
  const double seconds = shortest([&] {
    parallel(threads, threads, [&](std::ptrdiff_t) {
      alignas(64) static thread_local float a[k * Tiles<float>::mostRows], b[k * Tiles<float>::mostColumns], c[Tiles<float>::mostRows * Tiles<float>::mostColumns];
      for (std::ptrdiff_t i = 0; i < rounds; i++) tiles.wide[tiles.rows](k, a, tiles.rows, b, tiles.columns, c, tiles.columns, false);
    });
  });
  return 2.0 * threads * rounds * k * tiles.rows * tiles.columns / seconds / 1e9;
}

double productRate(int threads, std::ptrdiff_t n, bool transposed) {
  std::vector<float> a(static_cast<std::size_t>(n * n), 0.5f), b(a), c(a);
  const Matrix<float> A{a.data(), n, 1}, B{b.data(), transposed ? 1 : n, transposed ? n : 1};
  const double seconds = shortest([&] { multiply<float>(threads, n, n, n, 1, A, B, Target<float>{c.data(), n, 1, false}); });
  return 2.0 * static_cast<double>(n * n * n) / seconds / 1e9;
}

}  // namespace

int main() {
  for (const int threads : {1, 2}) {
    const double peak = tileRate(threads);
    std::printf("%s, %d thread%s: register tile %.0f GFLOP/s\n", isaName(), threads, threads > 1 ? "s" : "", peak);
    for (const std::ptrdiff_t n : {512, 1024})
      for (const bool transposed : {false, true}) {
        const double rate = productRate(threads, n, transposed);
        std::printf("  %4td³ %s %4.0f GFLOP/s, %3.0f %%\n", n, transposed ? "A Bᵀ" : "A B ", rate, 100 * rate / peak);
      }
  }
}
