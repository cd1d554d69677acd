// Samples of more positions than a panel should have: G[v, n] is made in cells, one range of positions after the other, and reduced
// when it is whole. Panels of all positions would leave the caches, and so many numbers are not added up one after another.
#pragma once
#include "../gemm/split.h"
#include "panel-frame.h"
#include "reducer.h"

namespace gradpack {

/// One chunk over a range of samples.
template <class Real> class LongSamples {
 public:
  /// Whether the samples of the spec are long, and the requests (by index) can be met so.
  static bool applies(const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests);
  /// Chunks whose cells for all columns stay in L2 beside a panel.
  static PanelFrame<Real> frame(const OuterSpec<Real>& spec);

  /// All that is given must live as long as this.
  LongSamples(const Run& run, const OuterSpec<Real>& spec, const Reducer<Real>& reducer, const PanelFrame<Real>& frame, const Chunk& chunk);

  /// Samples [from, to) into sums that are cleared before, and norms [V, N] or null.
  void run(std::int64_t from, std::int64_t to, const Sums<Real>& sums, double* norms) const;

 private:
  /// Adds columns [0, V) of one sample's G to cells [V, chunk].
  void add(const std::vector<Term<Real>>& terms, std::int64_t V, std::int64_t n, Real* G) const;
  /// All that is asked of a sample whose cells are complete; those of request r's own terms begin at set firstSet_[r].
  void reduce(std::int64_t n, const Real* G, Real* temporary, const Sums<Real>& sums, double* norms) const;

  const Run& run_;
  const OuterSpec<Real>& spec_;
  const Reducer<Real>& reducer_;
  const PanelFrame<Real>& frame_;
  const Chunk& chunk_;
  const Tiles<Real>& tiles_ = isa<Real>().tiles;
  Split rows_;
  std::int64_t sets_;
  std::vector<std::int64_t> firstSet_;
};

}  // namespace gradpack
