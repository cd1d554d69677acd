#include "factor.h"

#include <algorithm>

#include "../isa/isa.h"
#include "../memory/scratch.h"

namespace gradpack {
namespace {

/// Rows up to this length are summed side by side.
constexpr std::int64_t shortRow = 64;

}  // namespace

template <class Real> Factor<Real>::Factor(CallReader& words) {
  const bool unfolded = words.flag();
  const int read = static_cast<int>(words.within(0, words.readCount()));
  V = words.extent(), N = words.extent(), G = words.extent(), F = words.extent(), T = words.extent();
  sizeOf({V, N, G, F, T});
  v_ = words.integer(), n_ = words.integer(), g_ = words.integer(), f_ = words.integer();
  Extent extent = Extent{}.axis(V, v_).axis(N, n_).axis(G, g_);
  if (unfolded) {
    window_.emplace(words);
    if (F % window_->offsets() != 0 || T != window_->outputs()) failInternal("an unfolded factor does not fit its window");
    extent.axis(F / window_->offsets(), f_).axis(window_->inputs(), 1);
  } else {
    t_ = words.integer();
    extent.axis(F, f_).axis(T, t_);
  }
  place_ = words.read(read, words.precision, extent);
  if (unfolded) unfolding_.emplace(*window_, F);
}

template <class Real>
void Factor<Real>::pack(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t m, std::int64_t step, std::int64_t count, Real* d, std::int64_t ld) const {
  if (!window_ && (T == 1 || n_ == T * t_)) {  // one run of steps across the samples
    packSteps<Real>(tiles, {at(run, v, 0, g) + f0 * f_ + (T == 1 ? step * n_ : step * t_), f_, T == 1 ? n_ : t_}, m, count, d, ld);
    return;
  }
  for (const std::int64_t end = step + count; step < end;) {
    const std::int64_t n = step / T, t = step % T;
    const std::int64_t here = std::min(T - t, end - step);
    if (unfolding_) packImage(run, tiles, v, n, g, f0, m, t, here, d, ld);
    else packSteps<Real>(tiles, {at(run, v, n, g) + f0 * f_ + t * t_, f_, t_}, m, here, d, ld);
    d += here * ld;
    step += here;
  }
}

template <class Real>
void Factor<Real>::packSamples(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t n, std::int64_t sample, std::int64_t samples, Real* d, std::int64_t step, std::int64_t steps) const {
  if (!unfolding_) return packRange(run, tiles, v, g, f0, n, sample * T, samples * T, d, step, steps);
  for (std::int64_t s = 0; s < samples; s++, step += T) {
    const auto channels = unfolding_->lay(at(run, v, sample + s, g), f_, f0, n);
    Real* panel = d;
    for (std::int64_t j = 0; j < n; j += tiles.columns) {
      const std::int64_t width = panelWidth(tiles, n - j);
      unfolding_->pack(channels, f0 + j, std::min(width, n - j), 0, T, panel + step * width, width);
      panel += steps * width;
    }
  }
}

template <class Real> typename Unfolding<Real>::Channels Factor<Real>::lay(const Run& run, std::int64_t v, std::int64_t sample, std::int64_t g, std::int64_t f0, std::int64_t n) const {
  const Real* image = at(run, v, sample, g);
  return unfolding_ ? unfolding_->lay(image, f_, f0, n) : typename Unfolding<Real>::Channels{image, 0};
}

template <class Real>
void Factor<Real>::packPanels(const Run& run, const Tiles<Real>& tiles, const typename Unfolding<Real>::Channels& laid, std::int64_t v, std::int64_t sample, std::int64_t g, std::int64_t f0, std::int64_t n, std::int64_t t, std::int64_t count, Real* d) const {
  if (!unfolding_) return packRange(run, tiles, v, g, f0, n, sample * T + t, count, d, 0, count);
  for (std::int64_t j = 0; j < n; j += tiles.columns) {
    const std::int64_t width = panelWidth(tiles, n - j);
    unfolding_->pack(laid, f0 + j, std::min(width, n - j), t, count, d, width);
    d += count * width;
  }
}

template <class Real>
void Factor<Real>::packImage(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f0, std::int64_t m, std::int64_t t, std::int64_t count, Real* d, std::int64_t ld) const {
  const auto channels = unfolding_->lay(at(run, v, n, g), f_, f0, m);
  const std::int64_t width = panelWidth(tiles, m);
  if (ld >= width) return unfolding_->pack(channels, f0, m, t, count, d, ld);
  // rows closer than whole vectors: by way of a line of vectors
  Real* line = scratch<Real>(Scratch::line, unfolding_->grain * width);
  for (std::int64_t q = 0; q < count; q += unfolding_->grain) {
    const std::int64_t here = std::min(unfolding_->grain, count - q);
    unfolding_->pack(channels, f0, m, t + q, here, line, width);
    for (std::int64_t i = 0; i < here; i++) std::copy_n(line + i * width, m, d + (q + i) * ld);
  }
}

template <class Real>
void Factor<Real>::packRange(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t g, std::int64_t f0, std::int64_t n, std::int64_t step, std::int64_t count, Real* d, std::int64_t at, std::int64_t steps) const {
  for (std::int64_t j = 0; j < n; j += tiles.columns) {
    const std::int64_t width = panelWidth(tiles, n - j), w = std::min(width, n - j);
    Real* to = d + at * width;
    pack(run, tiles, v, g, f0 + j, w, step, count, to, width);
    for (std::int64_t q = 0; q < count && w < width; q++) std::fill(to + q * width + w, to + (q + 1) * width, Real(0));
    d += steps * width;
  }
}

template <class Real> void Factor<Real>::addSums(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f0, std::int64_t m, Real* d) const {
  const bool transposed = !window_ && t_ == 1 && T <= shortRow;
  Real* line = scratch<Real>(Scratch::line, transposed ? m * T : T);
  if (!transposed && (window_ || t_ == 1)) {
    for (std::int64_t r = 0; r < m; r++) d[r] += isa<Real>().elementwise.sum(row(run, v, n, g, f0 + r, line), T);
    return;
  }
  const Real* from = at(run, v, n, g) + f0 * f_;
  std::int64_t f = f_, t = t_;
  if (transposed) {
    isa<Real>().tiles.transpose(from, f_, static_cast<int>(m), T, line, m);
    from = line, f = 1, t = m;
  }
  for (std::int64_t q = 0; q < T; q++, from += t)
    for (std::int64_t r = 0; r < m; r++) d[r] += from[r * f];
}

template <class Real>
void Factor<Real>::prefetch(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f0, std::int64_t count, std::int64_t part, std::int64_t parts) const {
  if (n >= N || v >= V || (!window_ && t_ != 1)) return;
  const std::int64_t first = window_ ? f0 / window_->offsets() : f0, last = window_ ? (f0 + count - 1) / window_->offsets() + 1 : f0 + count;
  const std::int64_t from = first + (last - first) * part / parts, to = first + (last - first) * (part + 1) / parts, length = window_ ? window_->inputs() : T;
  constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(Real));
  for (std::int64_t f = from; f < to; f++)
    for (std::int64_t i = 0; i < length; i += line) __builtin_prefetch(at(run, v, n, g) + f * f_ + i, 0, 2);
}

template <class Real> const Real* Factor<Real>::row(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t f, Real* line) const {
  const Real* base = at(run, v, n, g);
  if (unfolding_) {
    unfolding_->row(base, f_, f, line);
    return line;
  }
  const Real* from = base + f * f_;
  if (t_ == 1 || T == 1) return from;
  for (std::int64_t t = 0; t < T; t++) line[t] = from[t * t_];
  return line;
}

template <class Real> const Real* Factor<Real>::position(const Run& run, std::int64_t v, std::int64_t n, std::int64_t g, std::int64_t t, Real* line) const {
  const Real* base = at(run, v, n, g);
  if (unfolding_) {
    for (std::int64_t f = 0; f < F; f++) line[f] = unfolding_->entry(base, f_, f, t);
    return line;
  }
  if (f_ == 1 || F == 1) return base + t * t_;
  for (std::int64_t f = 0; f < F; f++) line[f] = base[f * f_ + t * t_];
  return line;
}

template class Factor<float>;
template class Factor<double>;

}  // namespace gradpack
