// maxPool, averagePool and its adjoint, over rows of S positions.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../window/window.h"
#include "decoders.h"

namespace gradpack {
namespace {

/// For each output the positions it reads, kernel offsets in order, without gaps.
struct Neighbours {
  std::vector<std::int32_t> first, position;
  explicit Neighbours(const Window& window) {
    const std::vector<std::int32_t> table = window.table();
    const std::int64_t K = window.offsets(), T = window.outputs();
    for (std::int64_t t = 0; t < T; t++) {
      first.push_back(static_cast<std::int32_t>(position.size()));
      for (std::int64_t k = 0; k < K; k++) {
        const std::int32_t p = table[static_cast<std::size_t>(k * T + t)];
        if (p >= 0) position.push_back(p);
      }
    }
    first.push_back(static_cast<std::int32_t>(position.size()));
  }
};

class Pooling : public Call {
 public:
  double bytes() const override { return static_cast<double>(rows_) * static_cast<double>(S_ + T_ + static_cast<std::int64_t>(around_.position.size())) * 4; }

 protected:
  explicit Pooling(CallReader& words) : Pooling{words, words.extent(), Window(words)} {}
  std::int64_t grain() const { return 1 + 8192 / static_cast<std::int64_t>(around_.position.size() + 1); }
  Extent inputs() const { return Extent::contiguous(checkedProduct(rows_, S_)); }
  Extent outputs() const { return Extent::contiguous(checkedProduct(rows_, T_)); }

  std::int64_t rows_, S_, T_;
  Neighbours around_;

 private:
  Pooling(CallReader&, std::int64_t rows, const Window& window) : rows_(rows), S_(window.inputs()), T_(window.outputs()), around_(window) {}
};

template <class Real> class MaxPool final : public Pooling {
 public:
  explicit MaxPool(CallReader& words) : Pooling((words.expectOperands(1, 2), words)) {
    x_ = words.read(0, words.precision, inputs());
    y_ = words.write(0, words.precision, outputs());
    index_ = words.write(1, Dtype::int32, outputs());
  }
  void run(const Run& run) const override {
    const Real* x = run.read<Real>(x_);
    Real* y = run.write<Real>(y_);
    std::int32_t* index = run.write<std::int32_t>(index_);
    run.parallelRanges(rows_, grain(), [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t row = from; row < to; row++) {
        const Real* s = x + row * S_;
        for (std::int64_t t = 0; t < T_; t++) {
          const std::int32_t* at = around_.position.data() + around_.first[static_cast<std::size_t>(t)];
          const std::int32_t* end = around_.position.data() + around_.first[static_cast<std::size_t>(t) + 1];
          Real best = -std::numeric_limits<Real>::infinity();
          std::int32_t place = at == end ? 0 : *at;
          for (; at != end; at++)
            if (s[*at] > best || (std::isnan(s[*at]) && !std::isnan(best))) best = s[*at], place = *at;
          y[row * T_ + t] = best;
          index[row * T_ + t] = place;
        }
      }
    });
  }

 private:
  Place x_, y_, index_;
};

template <class Real, bool transposed> class AveragePool final : public Pooling {
 public:
  explicit AveragePool(CallReader& words) : Pooling((words.expectOperands(1, 1), words)) {
    for (std::int64_t t = 0; t < T_; t++) divisors_.push_back(static_cast<Real>(words.number()));
    from_ = words.read(0, words.precision, transposed ? outputs() : inputs());
    to_ = words.write(0, words.precision, transposed ? inputs() : outputs());
  }
  void run(const Run& run) const override {
    const Real* from = run.read<Real>(from_);
    Real* to = run.write<Real>(to_);
    run.parallelRanges(rows_, grain(), [&](std::int64_t first, std::int64_t end) {
      for (std::int64_t row = first; row < end; row++) {
        if constexpr (transposed) std::fill_n(to + row * S_, S_, Real(0));
        for (std::int64_t t = 0; t < T_; t++) {
          const std::int32_t* at = around_.position.data() + around_.first[static_cast<std::size_t>(t)];
          const std::int32_t* last = around_.position.data() + around_.first[static_cast<std::size_t>(t) + 1];
          const Real divisor = divisors_[static_cast<std::size_t>(t)];
          if constexpr (transposed) {
            const Real share = from[row * T_ + t] / divisor;
            for (; at != last; at++) to[row * S_ + *at] += share;
          } else {
            Real sum = 0;
            for (; at != last; at++) sum += from[row * S_ + *at];
            to[row * T_ + t] = sum / divisor;
          }
        }
      }
    });
  }

 private:
  std::vector<Real> divisors_;
  Place from_, to_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeMaxPool(CallReader& words) { return std::make_unique<MaxPool<Real>>(words); }
template <class Real> std::unique_ptr<Call> decodeAveragePool(CallReader& words) { return std::make_unique<AveragePool<Real, false>>(words); }
template <class Real> std::unique_ptr<Call> decodeAveragePoolTransposed(CallReader& words) { return std::make_unique<AveragePool<Real, true>>(words); }
template std::unique_ptr<Call> decodeMaxPool<float>(CallReader&);
template std::unique_ptr<Call> decodeMaxPool<double>(CallReader&);
template std::unique_ptr<Call> decodeAveragePool<float>(CallReader&);
template std::unique_ptr<Call> decodeAveragePool<double>(CallReader&);
template std::unique_ptr<Call> decodeAveragePoolTransposed<float>(CallReader&);
template std::unique_ptr<Call> decodeAveragePoolTransposed<double>(CallReader&);

}  // namespace gradpack
