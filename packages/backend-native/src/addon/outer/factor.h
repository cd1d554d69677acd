// A factor of G as a view [V, N, G, F, T]: dense by strides, or an unfolded image that is never stored.
#pragma once
#include <optional>

#include "../gemm/pack.h"
#include "../program/call.h"
#include "../window/unfolding.h"

namespace gradpack {

template <class Real> class Factor {
 public:
  explicit Factor(CallReader& words);

  std::int64_t V, N, G, F, T;

  /// d[q·ld + r] = entry (v, n, g, f0 + r, t) for r < m <= tiles.columns, where step s = n·T + t runs over [step, step + count). v = 0 where V = 1.
  /// Parts of an unfolded image begin at a multiple of Unfolding::grain.
  void pack(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t m, std::int64_t step, std::int64_t count, Real* d, std::int64_t ld) const;
  /// All panels of columns [f0, f0 + n) for whole samples [sample, sample + samples), as steps `step` … of panels that have `steps`.
  void packSamples(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t n, std::int64_t sample, std::int64_t samples, Real* d, std::int64_t step, std::int64_t steps) const;
  /// Columns [f0, f0 + n) of one sample, for packPanels: an unfolded image is laid in scratch, once for all its steps.
  typename Unfolding<Real>::Channels lay(const Run& run, std::int64_t v, std::int64_t sample, std::int64_t g, std::int64_t f0, std::int64_t n) const;
  /// All panels of these columns, steps [t, t + count) of the sample; t as Unfolding::pack takes it.
  void packPanels(const Run& run, const Tiles<Real>& tiles, const typename Unfolding<Real>::Channels& laid, std::int64_t v, std::int64_t sample, std::int64_t g, std::int64_t f0, std::int64_t n, std::int64_t t, std::int64_t count, Real* d) const;
  /// Brings part `part` of `parts` of what rows [f0, f0 + n) of a sample read into the caches (beyond the last sample: nothing).
  void prefetch(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f0, std::int64_t count, std::int64_t part, std::int64_t parts) const;
  /// d[r] += Σ_t entry (v, n, g, f0 + r, t) for r < m <= a panel's columns.
  void addSums(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f0, std::int64_t m, Real* d) const;
  /// Row f of one sample: T numbers, in `line` or where they lie.
  const Real* row(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f, Real* line) const;
  /// The numbers of one sample at position t, all f: in `line` or where they lie.
  const Real* position(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t t, Real* line) const;
  /// The rows [N, F] of a factor of one position, where they are contiguous.
  std::optional<Matrix<Real>> lies(const Run& run, std::int64_t v, std::int64_t g) const {
    if (window_ || T != 1 || (f_ != 1 && F != 1)) return std::nullopt;
    return Matrix<Real>{at(run, v, 0, g), n_, 1};
  }
  /// Whether the numbers of one position are neighbours, so that it is cheaper to walk along them than along positions.
  bool alongFeatures() const { return !window_ && f_ == 1 && (t_ != 1 || T == 1); }

  /// Whether each row is contiguous.
  bool alongPositions() const { return !window_ && (t_ == 1 || T == 1); }

  /// Where group g of one sample begins.
  const Real* at(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g) const { return run.read<Real>(place_) + (V == 1 ? 0 : v) * v_ + n * n_ + g * g_; }
  /// The window of an unfolded factor, and how far its image's channels lie apart.
  const std::optional<Window>& window() const { return window_; }
  std::int64_t channelStride() const { return f_; }

 private:
  /// Steps of one unfolded image.
  void packImage(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f0, std::int64_t m, std::int64_t t, std::int64_t count, Real* d, std::int64_t ld) const;
  /// Panels of columns [f0, f0 + n): steps [step, step + count) of the factor become steps `at` … of panels that have `steps`.
  void packRange(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t n, std::int64_t step, std::int64_t count, Real* d, std::int64_t at, std::int64_t steps) const;
  Place place_;
  /// f_ is the channel's stride where the factor is unfolded.
  std::int64_t v_ = 0, n_ = 0, g_ = 0, f_ = 0, t_ = 1;
  std::optional<Window> window_;
  std::optional<Unfolding<Real>> unfolding_;
};

}  // namespace gradpack
