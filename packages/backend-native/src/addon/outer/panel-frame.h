// θ's matrix cut into chunks of rows o and columns ck, whose cells are stored panel after panel as register tiles make them.
#pragma once
#include <vector>

#include "../gemm/pack.h"
#include "../program/matrix-view.h"

namespace gradpack {

/// Most rows and columns of a chunk: beside a panel of them a task's cells stay in L2.
constexpr std::int64_t chunkRows = 512, chunkColumns = 288;

/// A rectangle of θ's matrix: group g, rows [o, o + O), columns [j, j + J) in panels. `cell`: its first cell among all.
struct Chunk {
  std::int64_t g, o, O, j, J, cell, cells;
};

template <class Real> struct PanelFrame {
  const MatrixView* view;
  std::vector<Chunk> chunks;
  std::int64_t cells = 0;

  /// `rows`, `columns`: the most of a chunk.
  PanelFrame(const Tiles<Real>& tiles, const MatrixView& view, std::int64_t rows, std::int64_t columns);

  /// Writes (or adds) m rows of `width` values, of which `w` count, for rows o … and columns j … of a chunk into a result whose θ begins at `row`.
  void emit(const Chunk& chunk, std::int64_t o, std::int64_t m, std::int64_t j, std::int64_t w, std::int64_t width, const Real* values, Real* row, bool add) const;
  /// All panels of a chunk.
  void emitChunk(const Tiles<Real>& tiles, const Chunk& chunk, const Real* cells, Real* row, bool add) const;
};

}  // namespace gradpack
