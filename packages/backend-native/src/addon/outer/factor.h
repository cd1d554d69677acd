// A factor of G as a view [V, N, G, F, T]: dense by strides, or an unfolded image that is never stored.
#pragma once
#include <optional>

#include "../gemm/pack.h"
#include "../program/call.h"
#include "../window/window.h"

namespace gradpack {

template <class Real> class Factor {
 public:
  explicit Factor(CallReader& words);

  std::int64_t V, N, G, F, T;

  /// d[q·ld + r] = entry (v, n, g, f0 + r, t) for r < m <= tiles.columns, where step s = n·T + t runs over [step, step + count). v = 0 where V = 1.
  void pack(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t m, std::int64_t step, std::int64_t count, Real* d, std::int64_t ld) const;
  /// All panels of columns [f0, f0 + n).
  void packPanels(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t n, std::int64_t step, std::int64_t count, Real* d) const;
  /// d[r] += Σ_t entry (v, n, g, f0 + r, t) for r < m <= a panel's columns.
  void addSums(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f0, std::int64_t m, Real* d) const;
  /// Row f of one sample: T numbers, in `line` or where they lie.
  const Real* row(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f, Real* line) const;

  /// Where group g of one sample begins.
  const Real* at(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g) const { return run.read<Real>(place_) + (V == 1 ? 0 : v) * v_ + n * n_ + g * g_; }
  /// The window of an unfolded factor, and how far its image's channels lie apart.
  const std::optional<Window>& window() const { return shape_; }
  std::int64_t channelStride() const { return f_; }

 private:
  Place place_;
  /// f_ is the channel's stride where the factor is unfolded.
  std::int64_t v_ = 0, n_ = 0, g_ = 0, f_ = 0, t_ = 1;
  std::optional<Window> shape_;
  std::optional<WindowRuns> window_;
};

}  // namespace gradpack
