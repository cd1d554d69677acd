// Outer products of matrix terms that share one view, from register tiles: G[v, n] is made tile by tile and reduced at once. What a
// tile cannot take in registers (`cross`, a second request of one kind) is taken from its cells in L1.
#pragma once
#include "panel-frame.h"
#include "reducer.h"

namespace gradpack {

template <class Real> class Tiled {
 public:
  /// The requests of the spec (by index) that are met so. `replaced`: results were not filled with 0 before.
  Tiled(const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests, bool replaced);

  void run(const Run& run, const OuterSpec<Real>& spec) const;

 private:
  /// What tiles of one column take in registers: indices of requests, −1 for none.
  struct Column {
    int sum = -1, square = -1, centred = -1, each = -1;
    bool norm = false, wanted = false, cells = false;
  };
  class Task;

  /// Gives a request its place in all its columns, or leaves it to the cells.
  bool place(int index, const Request<Real>& request);

  std::vector<std::size_t> requests_;
  /// Whether samples are long (long-samples.h), and everything is taken from cells.
  bool long_;
  std::vector<bool> fromCells_;
  std::vector<Column> columns_;
  PanelFrame<Real> frame_;
  /// `joins_`: whether samples are only summed, so that several of them make one product. `measures_`: whether norms are asked for.
  bool replaced_, joins_ = true, measures_ = false;
  double work_ = 0;
};

}  // namespace gradpack
