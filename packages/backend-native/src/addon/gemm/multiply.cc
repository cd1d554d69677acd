#include "../isa/isa.h"
#include "../threads/thread-pool.h"
#include "blocked.h"

namespace gradpack {
namespace {

/// Floating-point operations below which waking a thread costs more than it brings (about 20 µs of one core).
constexpr double worthSharing = 2e6;

}  // namespace

template <class Real> void multiply(int threads, std::ptrdiff_t M, std::ptrdiff_t N, std::ptrdiff_t K, Real alpha, const Matrix<Real>& A, const Matrix<Real>& B, const Target<Real>& C) {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  if (2.0 * static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K) < worthSharing) threads = 1;
  const Split steps(K, blockSteps<Real>);
  const std::ptrdiff_t across = std::min(N, blockColumns);
  // at least four tasks a thread, of whole tiles
  const std::ptrdiff_t wanted = threads == 1 ? 1 : 4 * threads;
  const std::ptrdiff_t most = std::min(blockRows, std::max<std::ptrdiff_t>(tiles.rows, ceilDivide(ceilDivide(M, wanted), tiles.rows) * tiles.rows));
  const Split blocks(M, most);
  const std::ptrdiff_t cuts = std::max<std::ptrdiff_t>(1, std::min(wanted / blocks.count, across / (2 * tiles.columns)));
  Real* panels = scratch<Real>(Scratch::sharedColumns, panelSize(tiles, across, steps.size(0)));
  for (std::ptrdiff_t j = 0; j < N; j += across) {
    const std::ptrdiff_t n = std::min(across, N - j), cut = ceilDivide(ceilDivide(n, cuts), tiles.columns) * tiles.columns;
    for (std::ptrdiff_t s = 0; s < steps.count; s++) {
      const std::ptrdiff_t k = steps.at(s), kk = steps.size(s), group = 4 * tiles.columns;
      parallel(threads, ceilDivide(n, group), [&](std::ptrdiff_t g) { packColumns(tiles, B.at(k, j + g * group), kk, std::min(group, n - g * group), panels + g * group * kk); });
      const std::ptrdiff_t across = ceilDivide(n, cut);
      parallel(threads, blocks.count * across, [&](std::ptrdiff_t task) {
        const std::ptrdiff_t i = blocks.at(task / across), m = blocks.size(task / across), from = task % across * cut;
        const Split rows(m, tiles.rows);
        Real* packed = scratch<Real>(Scratch::rows, m * kk);
        for (std::ptrdiff_t r = 0; r < rows.count; r++) packScaled(tiles, A.at(i + rows.at(r), k), rows.size(r), kk, alpha, packed + rows.at(r) * kk, rows.size(r));
        Target<Real> to = C.at(i, j + from);
        to.add = C.add || s > 0;
        multiplyPanels(tiles, rows, std::min(cut, n - from), kk, packed, panels + from * kk, to);
      });
    }
  }
}

template void multiply<float>(int, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, float, const Matrix<float>&, const Matrix<float>&, const Target<float>&);
template void multiply<double>(int, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, double, const Matrix<double>&, const Matrix<double>&, const Target<double>&);

}  // namespace gradpack
