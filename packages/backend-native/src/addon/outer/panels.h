// Outer products of matrix terms that share one view: θ is cut into chunks of rows o and columns ck, each computed by register tiles
// panel by panel. Two ways: strips (G of one sample at a time, for squares, norms and individual results) and joined steps (a sum over
// samples is one long matrix product).
#pragma once
#include "reducer.h"

namespace gradpack {

/// A rectangle of θ's matrix: group g, rows [o, o + O), columns [j, j + J) in panels; its cells are stored panel after panel.
struct Chunk {
  std::int64_t g, o, O, j, J, cell, cells;
};

template <class Real> struct PanelFrame {
  const MatrixView* view;
  std::vector<Chunk> chunks;
  std::int64_t cells = 0;

  /// `columns`: most columns of a chunk.
  PanelFrame(const Tiles<Real>& tiles, const MatrixView& view, std::int64_t rows, std::int64_t columns);

  /// Writes (or adds) O rows of `width` values, of which `w` count, for columns j … of a chunk into a result whose θ begins at `row`.
  void emit(const Chunk& chunk, std::int64_t j, std::int64_t w, std::int64_t width, const Real* values, Real* row, bool add) const;
  /// All panels of a chunk.
  void emitChunk(const Tiles<Real>& tiles, const Chunk& chunk, const Real* cells, Real* row, bool add) const;
};

/// The requests of `reducer` by strips; norms [V, N] are added up where they are not null.
template <class Real> void runStrips(const Run& run, const OuterSpec<Real>& spec, const MatrixView& view, const Reducer<Real>& reducer, double* norms);

/// One sum over the samples: `Σ_{v,n} w G`, or with `squared` (terms of one position) `Σ_{v,n} w G²`.
template <class Real> void runJoined(const Run& run, const OuterSpec<Real>& spec, const MatrixView& view, const Request<Real>& request, bool squared, bool replaced);

}  // namespace gradpack
