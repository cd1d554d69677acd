// gram: B[g] (+)= scale Σ f fᵀ. Steps (v, n, t) are packed once into column panels, which serve as rows of the tiles too; only tiles on
// and above the diagonal are computed.
#include <algorithm>

#include "../gemm/split.h"
#include "../isa/isa.h"
#include "../memory/scratch.h"
#include "../outer/factor.h"
#include "decoders.h"

namespace gradpack {
namespace {

/// Numbers that are packed at a time: they stay in L3.
constexpr std::int64_t packedSize = 1 << 20;

template <class Real> class Gram final : public Call {
 public:
  explicit Gram(CallReader& words) {
    words.expectOperands(words.readCount(), 1);
    for (int i = 0, n = words.count(1 << 16); i < n; i++) factors_.emplace_back(words);
    if (factors_.empty()) failInternal("it has no factors");
    const Factor<Real>& first = factors_[0];
    each_ = words.flag();
    from_ = words.within(0, mostElements);
    to_ = words.within(from_, mostElements);
    scale_ = words.number();
    accumulate_ = words.flag();
    for (const Factor<Real>& factor : factors_)
      if (factor.G != first.G || factor.F != first.F || (!each_ && factor.N != first.N)) failInternal("its factors differ");
    G_ = first.G, F_ = first.F, N_ = first.N;
    b_ = words.write(0, words.precision, Extent::contiguous(sizeOf({G_, F_, F_})));
  }

  void run(const Run& run) const override {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const std::int64_t padded = panelSize(tiles, F_, 1), most = std::clamp<std::int64_t>(packedSize / padded, 64, 4096);
    Real *sums = scratch<Real>(Scratch::sharedSums, F_ * padded), *panels = scratch<Real>(Scratch::sharedColumns, most * padded);
    for (std::int64_t g = 0; g < G_; g++) {
      std::fill_n(sums, F_ * padded, Real(0));
      if (each_) {
        for (const Factor<Real>& factor : factors_)
          for (std::int64_t v = from_; v < std::min(to_, factor.V); v++)
            eachBlock(factor.N * factor.T, most, [&](std::int64_t step, std::int64_t count) {
              packAll(run, tiles, count, panels, [&](std::int64_t f, std::int64_t n, Real* d) { factor.packPanels(run, tiles, v, g, f, n, step, count, d); });
              multiply(run, tiles, count, panels, sums);
            });
      } else {
        const std::int64_t rows = (to_ - from_) * N_;
        eachBlock(rows, std::max<std::int64_t>(1, std::min(rows, most)), [&](std::int64_t row, std::int64_t count) {
          Real* summed = scratch<Real>(Scratch::sharedRows, count * F_);
          sumPositions(run, g, row, count, summed);
          packAll(run, tiles, count, panels, [&](std::int64_t f, std::int64_t n, Real* d) { packColumns<Real>(tiles, {summed + f, F_, 1}, count, n, d); });
          multiply(run, tiles, count, panels, sums);
        });
      }
      finish(run, tiles, sums, run.write<Real>(b_) + g * F_ * F_);
    }
  }
  double flops() const override {
    double total = 0;
    for (const Factor<Real>& factor : factors_) total += static_cast<double>(F_ * F_ * G_) * static_cast<double>(std::max<std::int64_t>(0, std::min(to_, factor.V) - from_) * factor.N * (each_ ? factor.T : 1));
    return total;
  }
  double bytes() const override {
    double total = static_cast<double>(F_ * F_ * G_);
    for (const Factor<Real>& factor : factors_) total += static_cast<double>(F_ * G_) * static_cast<double>(std::max<std::int64_t>(0, std::min(to_, factor.V) - from_) * factor.N * factor.T);
    return total * sizeof(Real);
  }

 private:
  template <class F> static void eachBlock(std::int64_t n, std::int64_t most, const F& body) {
    for (std::int64_t at = 0; at < n; at += most) body(at, std::min(most, n - at));
  }

  /// Panels of `count` steps, packed by body(first column, columns, destination).
  template <class F> void packAll(const Run& run, const Tiles<Real>& tiles, std::int64_t count, Real* panels, const F& body) const {
    run.parallel(ceilDivide(F_, tiles.columns), [&](std::int64_t p) {
      const std::int64_t f = p * tiles.columns;
      body(f, std::min<std::int64_t>(tiles.columns, F_ - f), panels + f * count);
    });
  }

  /// Panel after panel: sums[f][width] += the product of all rows f up to the panel's end with its columns.
  void multiply(const Run& run, const Tiles<Real>& tiles, std::int64_t count, const Real* panels, Real* sums) const {
    const std::int64_t P = ceilDivide(F_, tiles.columns);
    run.parallel(P * P, [&](std::int64_t task) {
      const std::int64_t p = task / P, q = task % P;
      if (q > p) return;
      const std::int64_t j = p * tiles.columns, width = panelWidth(tiles, F_ - j), i = q * tiles.columns, rowWidth = panelWidth(tiles, F_ - i);
      const Split rows(std::min<std::int64_t>(tiles.columns, F_ - i), tiles.rows);
      for (std::int64_t r = 0; r < rows.count; r++)
        (width == tiles.columns ? tiles.wide : tiles.narrow)[rows.size(r)](count, panels + i * count + rows.at(r), rowWidth, panels + j * count, width, sums + j * F_ + (i + rows.at(r)) * width, width, true);
    });
  }

  void sumPositions(const Run& run, std::int64_t g, std::int64_t first, std::int64_t count, Real* summed) const {
    run.parallel(count, [&](std::int64_t row) {
      const std::int64_t v = from_ + (first + row) / N_, n = (first + row) % N_;
      Real* to = summed + row * F_;
      std::fill_n(to, F_, Real(0));
      for (const Factor<Real>& factor : factors_) {
        if (v >= factor.V) continue;
        Real* line = scratch<Real>(Scratch::line, factor.T);
        for (std::int64_t f = 0; f < F_; f++) to[f] += isa<Real>().elementwise.sum(factor.row(run, v, n, g, f, line), factor.T);
      }
    });
  }

  void finish(const Run& run, const Tiles<Real>& tiles, const Real* sums, Real* B) const {
    const Real scale = static_cast<Real>(scale_);
    run.parallelRanges(F_, 1 + 16384 / F_, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; i++)
        for (std::int64_t j = 0; j < F_; j++) {
          // below the diagonal's panels the entry is its mirror image
          const bool mirrored = j / tiles.columns < i / tiles.columns;
          const std::int64_t row = mirrored ? j : i, column = mirrored ? i : j, start = column / tiles.columns * tiles.columns;
          const Real value = scale * sums[start * F_ + row * panelWidth(tiles, F_ - start) + column - start];
          B[i * F_ + j] = accumulate_ ? B[i * F_ + j] + value : value;
        }
    });
  }

  std::vector<Factor<Real>> factors_;
  bool each_ = true, accumulate_ = false;
  std::int64_t G_ = 1, F_ = 1, N_ = 1, from_ = 0, to_ = 0;
  double scale_ = 1;
  Place b_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeGram(CallReader& words) { return std::make_unique<Gram<Real>>(words); }
template std::unique_ptr<Call> decodeGram<float>(CallReader&);
template std::unique_ptr<Call> decodeGram<double>(CallReader&);

}  // namespace gradpack
