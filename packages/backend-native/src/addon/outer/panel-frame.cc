#include "../gemm/split.h"
#include "panel-frame.h"

namespace gradpack {
namespace {

/// Of a frame: a view with one entry in each of its groups has as many.
constexpr std::int64_t mostChunks = 1 << 22;

}  // namespace

template <class Real> PanelFrame<Real>::PanelFrame(const Tiles<Real>& tiles, const MatrixView& view, std::int64_t rows, std::int64_t columns) : view(&view) {
  // chunks of equal width, in whole panels
  const Split bands(view.O, rows);
  const std::int64_t parts = ceilDivide(view.columns(), std::max<std::int64_t>(1, columns / tiles.columns) * tiles.columns);
  const std::int64_t most = ceilDivide(ceilDivide(view.columns(), parts), tiles.columns) * tiles.columns;
  if (checkedProduct(view.G, checkedProduct(bands.count, parts)) > mostChunks) failInternal("a term has too many groups");
  for (std::int64_t g = 0; g < view.G; g++)
    for (std::int64_t band = 0; band < bands.count; band++)
      for (std::int64_t j = 0; j < view.columns(); j += most) {
        const std::int64_t J = std::min(most, view.columns() - j), O = bands.size(band), size = panelSize(tiles, J, O);
        chunks.push_back({g, bands.at(band), O, j, J, cells, size});
        cells += size;
      }
}

template <class Real> void PanelFrame<Real>::emit(const Chunk& chunk, std::int64_t o, std::int64_t m, std::int64_t j, std::int64_t w, std::int64_t width, const Real* values, Real* row, bool add) const {
  const bool regular = view->regular();
  const std::int64_t step = view->columnStride();
  for (std::int64_t r = 0; r < m; r++, values += width) {
    if (!regular) {
      for (std::int64_t i = 0; i < w; i++) {
        Real& to = row[view->at(chunk.g, chunk.o + o + r, chunk.j + j + i)];
        to = add ? to + values[i] : values[i];
      }
      continue;
    }
    Real* to = row + view->at(chunk.g, chunk.o + o + r, chunk.j + j);
    if (add)
      for (std::int64_t i = 0; i < w; i++) to[i * step] += values[i];
    else if (step == 1) std::copy_n(values, w, to);
    else
      for (std::int64_t i = 0; i < w; i++) to[i * step] = values[i];
  }
}

template <class Real> void PanelFrame<Real>::emitChunk(const Tiles<Real>& tiles, const Chunk& chunk, const Real* cells, Real* row, bool add) const {
  for (std::int64_t j = 0; j < chunk.J; j += tiles.columns) {
    const std::int64_t width = panelWidth(tiles, chunk.J - j);
    emit(chunk, 0, chunk.O, j, std::min(width, chunk.J - j), width, cells, row, add);
    cells += chunk.O * width;
  }
}

template struct PanelFrame<float>;
template struct PanelFrame<double>;

}  // namespace gradpack
