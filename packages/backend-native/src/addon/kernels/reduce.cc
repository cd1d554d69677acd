// reduce: y[i] (+)= scale · Σⱼ expression, or the maximum over j. Two orders: along j (rows), or along i with one total per lane
// (columns), whichever walks the inputs contiguously. Totals are doubles. Long reductions of few entries are cut into parts of fixed
// size, so the result does not depend on the number of threads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../memory/scratch.h"
#include "decoders.h"
#include "expression.h"

namespace gradpack {
namespace {

double larger(double a, double b) { return a > b || std::isnan(a) ? a : b; }

template <class Real> class Reduce final : public Call {
 public:
  // braces: the shapes must be read in order
  explicit Reduce(CallReader& words) : Reduce{words, words.extents(words.count(mostAxes)), words.extents(words.count(mostAxes))} {}

  void run(const Run& run) const override {
    double* totals = scratch<double>(Scratch::sharedSums, parts_ * kept_);
    if (columns_) runColumns(run, totals);
    else runRows(run, totals);
    Real* y = run.write<Real>(y_);
    for (std::int64_t i = 0; i < kept_; i++) {
      double total = totals[i];
      for (std::int64_t part = 1; part < parts_; part++) total = join(total, totals[part * kept_ + i]);
      const Real value = static_cast<Real>(maximum_ ? total : scale_ * total);
      y[i] = accumulate_ ? y[i] + value : value;
    }
  }
  double flops() const override { return static_cast<double>(kept_ * reduced_) * (1 + expression_.flopsPerElement()); }
  double bytes() const override { return static_cast<double>(kept_ * reduced_) * expression_.inputs() * sizeof(Real); }

 private:
  static constexpr std::int64_t grain = 16384, part = 32768;
  static constexpr int lanes = Expression<Real>::lanes;

  static Shape joined(Shape a, const Shape& b) {
    a.insert(a.end(), b.begin(), b.end());
    if (a.size() > static_cast<std::size_t>(mostAxes)) failInternal("it has too many axes");
    return a;
  }

  Reduce(CallReader& words, const Shape& kept, const Shape& reduced)
      : expression_((words.expectOperands(words.readCount(), 1), words), joined(kept, reduced)), kept_(sizeOf(kept)), reduced_(sizeOf(reduced)) {
    sizeOf(joined(kept, reduced));
    maximum_ = words.within(0, 2) == 1;
    scale_ = words.number();
    accumulate_ = words.flag();
    y_ = words.write(0, words.precision, Extent::contiguous(kept_));
    const int k = static_cast<int>(kept.size()), r = static_cast<int>(reduced.size());
    // an axis of one entry says nothing about the order
    const auto inner = [&](const Shape& shape, int first) {
      for (int axis = static_cast<int>(shape.size()); axis-- > 0;)
        if (shape[static_cast<std::size_t>(axis)] > 1) return expression_.stride(first + axis);
      return std::ptrdiff_t{0};
    };
    columns_ = kept_ >= 16 && reduced_ > 1 && std::abs(inner(kept, 0)) == 1 && std::abs(inner(reduced, k)) != 1;
    if (columns_) {
      std::vector<int> order;
      for (int axis = 0; axis < r; axis++) order.push_back(k + axis);
      for (int axis = 0; axis < k; axis++) order.push_back(axis);
      expression_.orderBy(order);
    }
    // cut the reduction where the kept entries alone are too few for many threads
    const std::int64_t tasks = columns_ ? (kept_ + lanes - 1) / lanes : kept_;
    const std::int64_t per = columns_ ? std::max<std::int64_t>(1, part / std::min<std::int64_t>(kept_, lanes)) : part;
    parts_ = tasks >= 16 ? 1 : std::clamp<std::int64_t>(reduced_ / per, 1, 64);
  }

  double join(double a, double b) const { return maximum_ ? larger(a, b) : a + b; }
  double nothing() const { return maximum_ ? -std::numeric_limits<double>::infinity() : 0; }
  double joinRow(const Elementwise<Real>& loops, const Real* x, int n) const { return maximum_ ? loops.maximum(x, n) : loops.sum(x, n); }

  void runRows(const Run& run, double* totals) const {
    const Elementwise<Real>& loops = isa<Real>().elementwise;
    if (reduced_ < lanes) {  // several rows in one run
      const std::int64_t rows = lanes / reduced_;
      run.parallelRanges(kept_, std::max<std::int64_t>(1, grain / reduced_), [&](std::int64_t from, std::int64_t to) {
        Real* registers = expression_.registers();
        for (std::int64_t i = from; i < to; i += rows) {
          const std::int64_t here = std::min(rows, to - i);
          const Real* values = expression_.evaluate(run, i * reduced_, static_cast<int>(here * reduced_), registers);
          for (std::int64_t row = 0; row < here; row++) totals[i + row] = joinRow(loops, values + row * reduced_, static_cast<int>(reduced_));
        }
      });
      return;
    }
    const std::int64_t length = (reduced_ + parts_ - 1) / parts_;
    const std::int64_t together = std::max<std::int64_t>(1, grain / length);
    run.parallelRanges(kept_ * parts_, together, [&](std::int64_t from, std::int64_t to) {
      Real* registers = expression_.registers();
      for (std::int64_t task = from; task < to; task++) {
        const std::int64_t i = task / parts_, p = task % parts_;
        double total = nothing();
        for (std::int64_t j = p * length, end = std::min(reduced_, j + length); j < end; j += lanes) {
          const int count = static_cast<int>(std::min<std::int64_t>(lanes, end - j));
          total = join(total, joinRow(loops, expression_.evaluate(run, i * reduced_ + j, count, registers), count));
        }
        totals[p * kept_ + i] = total;
      }
    });
  }

  void runColumns(const Run& run, double* totals) const {
    const Elementwise<Real>& loops = isa<Real>().elementwise;
    const std::int64_t width = std::min<std::int64_t>(lanes, kept_), blocks = (kept_ + width - 1) / width, length = (reduced_ + parts_ - 1) / parts_;
    run.parallelRanges(blocks * parts_, std::max<std::int64_t>(1, grain / (width * length)), [&](std::int64_t from, std::int64_t to) {
      Real* registers = expression_.registers();
      for (std::int64_t task = from; task < to; task++) {
        const std::int64_t p = task / blocks, i = task % blocks * width;
        const int count = static_cast<int>(std::min(width, kept_ - i));
        double* total = totals + p * kept_ + i;
        std::fill_n(total, count, nothing());
        for (std::int64_t j = p * length, end = std::min(reduced_, j + length); j < end; j++) {
          const Real* values = expression_.evaluate(run, j * kept_ + i, count, registers);
          if (maximum_)
            for (int lane = 0; lane < count; lane++) total[lane] = larger(total[lane], values[lane]);
          else loops.addDouble(values, total, count);
        }
      }
    });
  }

  Expression<Real> expression_;
  std::int64_t kept_, reduced_, parts_ = 1;
  Place y_;
  double scale_ = 1;
  bool maximum_ = false, accumulate_ = false, columns_ = false;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeReduce(CallReader& words) { return std::make_unique<Reduce<Real>>(words); }
template std::unique_ptr<Call> decodeReduce<float>(CallReader&);
template std::unique_ptr<Call> decodeReduce<double>(CallReader&);

}  // namespace gradpack
