// Outer products of convolutions by minimal filtering: ∂θ of a tile is itself a correlation, whose kernel is the tile of a and whose
// outputs are the k offsets of θ. At each of 36 points G[v, n] is a product of matrices over tiles; what is only summed over samples
// is summed at the points and transformed once.
#pragma once
#include "../filtering/tiling.h"
#include "reducer.h"

namespace gradpack {

template <class Real> class Filtered {
 public:
  /// Whether all requests can be met so, and with less work.
  static bool pays(const OuterSpec<Real>& spec);
  /// `replaced`: results were not filled with 0 before.
  Filtered(const OuterSpec<Real>& spec, bool replaced);

  void run(const Run& run, const OuterSpec<Real>& spec) const;

 private:
  /// A tile of θ's matrix: group g, rows [o, o + m) and channels [c, c + w).
  struct Block {
    std::int64_t g, i, o, m, j, c, w;
  };
  class Task;

  bool replaced_;
  Tiling tiling_;
  TilePoints<Real> left_, right_;
  Split rows_;
  std::vector<Block> blocks_;
  /// Whether all is one sum over columns and samples; whether norms are asked for.
  bool joins_, measures_ = false;
};

}  // namespace gradpack
