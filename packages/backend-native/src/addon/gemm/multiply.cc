#include "../isa/isa.h"
#include "../threads/thread-pool.h"
#include "blocked.h"

namespace gradpack {
namespace {

/// Row tiles below which packing a panel of B costs more than reading its rows where they lie.
constexpr std::ptrdiff_t worthPacking = 6;
/// Most panels of B of one task where rows are few.
constexpr std::ptrdiff_t taskPanels = 4;

/// Packed rows times columns [j, j + n) of B: whole panels where they lie, the last columns from a packed panel.
template <class Real>
void multiplyInPlace(const Tiles<Real>& tiles, const Split& rows, std::ptrdiff_t n, std::ptrdiff_t k, const Real* a, const Matrix<Real>& B, const Real* last, const Target<Real>& c) {
  for (std::ptrdiff_t j = 0; j < n; j += tiles.columns) {
    const std::ptrdiff_t width = panelWidth(tiles, n - j), w = std::min(width, n - j);
    const Matrix<Real> b = w == width ? B.at(0, j) : Matrix<Real>{last, width, 1};
    for (std::ptrdiff_t i = 0; i < rows.count; i++) multiplyTile(tiles, rows.size(i), w, width, k, a + rows.at(i) * k, rows.size(i), b.p, b.rowStride, c.at(rows.at(i), j));
  }
}

/// What fits into one block, on the calling thread: small products are many.
template <class Real>
void multiplySmall(const Tiles<Real>& tiles, std::ptrdiff_t M, std::ptrdiff_t N, std::ptrdiff_t K, Real alpha, const Matrix<Real>& A, const Matrix<Real>& B, const Target<Real>& C) {
  const Split rows(M, tiles.rows);
  Real *packed = scratch<Real>(Scratch::rows, M * K), *panels = scratch<Real>(Scratch::columns, panelSize(tiles, N, K));
  for (std::ptrdiff_t r = 0; r < rows.count; r++) packScaled(tiles, A.at(rows.at(r), 0), rows.size(r), K, alpha, packed + rows.at(r) * K, rows.size(r));
  packColumns(tiles, B, K, N, panels);
  multiplyPanels(tiles, rows, N, K, packed, panels, C);
}

/// Rows of one block, packed once; then each task packs a few panels of B at a time, which stay in its caches, and multiplies them.
template <class Real>
void multiplyFewRows(int threads, std::ptrdiff_t M, std::ptrdiff_t N, std::ptrdiff_t K, Real alpha, const Matrix<Real>& A, const Matrix<Real>& B, const Target<Real>& C) {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  const PackedRows<Real> rows(tiles, M, K, scratch<Real>(Scratch::sharedRows, PackedRows<Real>::size(M, K)));
  const Split &steps = rows.steps, panels(ceilDivide(N, tiles.columns), std::clamp<std::ptrdiff_t>(N / (4 * threads * tiles.columns), 1, taskPanels));
  const Split groups(rows.rows.count, ceilDivide(rows.rows.count, threads));
  parallel(threads, steps.count * groups.count, [&](std::ptrdiff_t task) {
    const std::ptrdiff_t group = task % groups.count;
    rows.packSteps(task / groups.count, groups.at(group), groups.size(group), [&](std::ptrdiff_t i, std::ptrdiff_t k, std::ptrdiff_t m, std::ptrdiff_t kk, Real* d) { packScaled(tiles, A.at(i, k), m, kk, alpha, d, m); });
  });
  parallel(threads, panels.count, [&](std::ptrdiff_t task) {
    const std::ptrdiff_t j = panels.at(task) * tiles.columns, n = std::min(panels.size(task) * tiles.columns, N - j);
    multiplyPacked(tiles, rows, n, [&](std::ptrdiff_t k, std::ptrdiff_t kk, std::ptrdiff_t from, std::ptrdiff_t count, Real* d) { packColumns(tiles, B.at(k, j + from), kk, count, d); }, C.at(0, j));
  });
}

}  // namespace

template <class Real> void multiply(int threads, std::ptrdiff_t M, std::ptrdiff_t N, std::ptrdiff_t K, Real alpha, const Matrix<Real>& A, const Matrix<Real>& B, const Target<Real>& C) {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  if (2.0 * static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K) < worthSharing) threads = 1;
  const bool inPlace = B.columnStride == 1 && M <= worthPacking * tiles.rows;
  if (threads == 1 && !inPlace && M <= blockRows && N <= blockColumns && K <= blockSteps(tiles)) return multiplySmall(tiles, M, N, K, alpha, A, B, C);
  if (!inPlace && M <= blockRows && N >= 2 * threads * tiles.columns) return multiplyFewRows(threads, M, N, K, alpha, A, B, C);
  const Split steps(K, blockSteps(tiles));
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
      if (inPlace) {
        const std::ptrdiff_t whole = n / tiles.columns * tiles.columns;
        packColumns(tiles, B.at(k, j + whole), kk, n - whole, panels + whole * kk);
      } else {
        parallel(threads, ceilDivide(n, group), [&](std::ptrdiff_t g) { packColumns(tiles, B.at(k, j + g * group), kk, std::min(group, n - g * group), panels + g * group * kk); });
      }
      const std::ptrdiff_t across = ceilDivide(n, cut);
      parallel(threads, blocks.count * across, [&](std::ptrdiff_t task) {
        const std::ptrdiff_t i = blocks.at(task / across), m = blocks.size(task / across), from = task % across * cut;
        const Split rows(m, tiles.rows);
        Real* packed = scratch<Real>(Scratch::rows, m * kk);
        for (std::ptrdiff_t r = 0; r < rows.count; r++) packScaled(tiles, A.at(i + rows.at(r), k), rows.size(r), kk, alpha, packed + rows.at(r) * kk, rows.size(r));
        Target<Real> to = C.at(i, j + from);
        to.add = C.add || s > 0;
        const std::ptrdiff_t own = std::min(cut, n - from);
        if (inPlace) multiplyInPlace<Real>(tiles, rows, own, kk, packed, B.at(k, j + from), panels + (from + own / tiles.columns * tiles.columns) * kk, to);
        else multiplyPanels(tiles, rows, own, kk, packed, panels + from * kk, to);
      });
    }
  }
}

template void multiply<float>(int, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, float, const Matrix<float>&, const Matrix<float>&, const Target<float>&);
template void multiply<double>(int, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, double, const Matrix<double>&, const Matrix<double>&, const Target<double>&);

}  // namespace gradpack
