// gram: B[g] (+)= scale Σ f fᵀ. Unfolded images by autocorrelation where that pays; everything else, and sums over positions, as the
// triangle of a product of packed steps (v, n, t).
#include <algorithm>

#include "../gram/autocorrelation.h"
#include "../gram/triangle.h"
#include "../isa/isa.h"
#include "../outer/factor.h"
#include "decoders.h"

namespace gradpack {
namespace {

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
    scale_ = static_cast<Real>(words.number());
    accumulate_ = words.flag();
    for (const Factor<Real>& factor : factors_)
      if (factor.G != first.G || factor.F != first.F || (!each_ && factor.N != first.N)) failInternal("its factors differ");
    G_ = first.G, F_ = first.F, N_ = first.N;
    b_ = words.write(0, words.precision, Extent::contiguous(sizeOf({G_, F_, F_})));
    // one position of one factor is its own sum
    each_ = each_ || (factors_.size() == 1 && first.T == 1);
    for (const Factor<Real>& factor : factors_) {
      autocorrelations_.emplace_back();
      if (!each_ || !factor.window()) continue;
      std::optional<Autocorrelation>& form = autocorrelations_.back();
      form = Autocorrelation::of(*factor.window());
      if (form && !form->pays(F_ / form->offsets, factor.N, factor.T)) form.reset();
    }
  }

  void run(const Run& run) const override {
    for (std::int64_t g = 0; g < G_; g++) {
      SymmetricTarget<Real> target{run.write<Real>(b_) + g * F_ * F_, F_, scale_, accumulate_};
      if (each_)
        for (std::size_t i = 0; i < factors_.size(); i++) {
          if (columns(factors_[i]) == 0) continue;
          if (autocorrelations_[i]) correlate(run, factors_[i], *autocorrelations_[i], g, target);
          else multiply(run, factors_[i], g, target);
          target.add = true;
        }
      else if (to_ > from_) {
        multiplySums(run, g, target);
        target.add = true;
      }
      if (!target.add) std::fill_n(target.B, F_ * F_, Real(0));
    }
  }
  double flops() const override {
    double total = 0;
    for (const Factor<Real>& factor : factors_) total += static_cast<double>(F_ * F_ * G_) * static_cast<double>(columns(factor) * factor.N * (each_ ? factor.T : 1));
    return total;
  }
  double bytes() const override {
    double total = static_cast<double>(F_ * F_ * G_);
    for (const Factor<Real>& factor : factors_) total += static_cast<double>(F_ * G_) * static_cast<double>(columns(factor) * factor.N * factor.T);
    return total * sizeof(Real);
  }

 private:
  std::int64_t columns(const Factor<Real>& factor) const { return std::max<std::int64_t>(0, std::min(to_, factor.V) - from_); }

  void correlate(const Run& run, const Factor<Real>& factor, const Autocorrelation& form, std::int64_t g, const SymmetricTarget<Real>& target) const {
    autocorrelate<Real>(run, form, F_ / form.offsets, factor.channelStride(), columns(factor) * factor.N, [&](std::int64_t n) { return factor.at(run, from_ + n / factor.N, n % factor.N, g); }, target);
  }

  void multiply(const Run& run, const Factor<Real>& factor, std::int64_t g, const SymmetricTarget<Real>& target) const {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const auto pack = [&](std::int64_t f, std::int64_t w, std::int64_t v, std::int64_t step, std::int64_t count, Real* d, std::int64_t ld) {
      factor.pack(run, tiles, v, g, f, w, step, count, d, ld);
    };
    symmetricProduct<Real>(run, columns(factor) * factor.N, factor.T, columnwise(tiles, factor.N * factor.T, pack), target);
  }

  void multiplySums(const Run& run, std::int64_t g, const SymmetricTarget<Real>& target) const {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    // row after row, as they lie
    const auto pack = [&](std::int64_t f, std::int64_t n, std::int64_t step, std::int64_t count, Real* d) {
      for (std::int64_t q = 0; q < count; q++)
        for (std::int64_t j = 0; j < n; j += tiles.columns) {
          const std::int64_t width = panelWidth(tiles, n - j), v = from_ + (step + q) / N_;
          Real* to = d + j * count + q * width;
          std::fill_n(to, width, Real(0));
          for (const Factor<Real>& factor : factors_)
            if (v < factor.V) factor.addSums(run, v, (step + q) % N_, g, f + j, std::min(width, n - j), to);
        }
    };
    symmetricProduct<Real>(run, (to_ - from_) * N_, 1, pack, target);
  }

  /// Panels of steps that run over the columns v, by a function that packs some of the `each` steps of one v.
  template <class Pack> auto columnwise(const Tiles<Real>& tiles, std::int64_t each, const Pack& pack) const {
    return [this, &tiles, each, pack](std::int64_t f, std::int64_t n, std::int64_t step, std::int64_t count, Real* d) {
      for (std::int64_t j = 0; j < n; j += tiles.columns) {
        const std::int64_t width = panelWidth(tiles, n - j), w = std::min(width, n - j);
        for (std::int64_t at = step, end = step + count; at < end;) {
          const std::int64_t here = std::min(end - at, each - at % each);
          pack(f + j, w, from_ + at / each, at % each, here, d, width);
          for (std::int64_t q = 0; q < here && w < width; q++) std::fill(d + q * width + w, d + (q + 1) * width, Real(0));
          d += here * width, at += here;
        }
      }
    };
  }

  std::vector<Factor<Real>> factors_;
  /// Of an unfolded factor, where it is faster.
  std::vector<std::optional<Autocorrelation>> autocorrelations_;
  bool each_ = true, accumulate_ = false;
  std::int64_t G_ = 1, F_ = 1, N_ = 1, from_ = 0, to_ = 0;
  Real scale_ = 1;
  Place b_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeGram(CallReader& words) { return std::make_unique<Gram<Real>>(words); }
template std::unique_ptr<Call> decodeGram<float>(CallReader&);
template std::unique_ptr<Call> decodeGram<double>(CallReader&);

}  // namespace gradpack
