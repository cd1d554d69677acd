// reduce: y[i] (+)= scale · Σⱼ expression, or the maximum over j. Two orders: along j (rows), or along i with one total per lane
// (columns), whichever walks the inputs contiguously. Totals are doubles. Long reductions of few entries are cut into parts of fixed
// size, so the result does not depend on the number of threads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../memory/scratch.h"
#include "../threads/grain.h"
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
    Real* y = run.write<Real>(y_);
    if (parts_ == 1) {
      eachTask(run, [&](std::int64_t i, std::int64_t, const double* totals, std::int64_t count) { finish(totals, count, y + i); });
      return;
    }
    double* totals = scratch<double>(Scratch::sharedSums, parts_ * kept_);
    eachTask(run, [&](std::int64_t i, std::int64_t p, const double* own, std::int64_t count) { std::copy_n(own, count, totals + p * kept_ + i); });
    for (std::int64_t part = 1; part < parts_; part++)
      for (std::int64_t i = 0; i < kept_; i++) totals[i] = join(totals[i], totals[part * kept_ + i]);
    finish(totals, kept_, y);
  }
  double flops() const override { return static_cast<double>(kept_ * reduced_) * (1 + expression_.flopsPerElement()); }
  double bytes() const override { return static_cast<double>(kept_ * reduced_) * expression_.inputs() * sizeof(Real); }

 private:
  static constexpr std::int64_t part = 32768;
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
    columns_ = kept_ > 1 && reduced_ > 1 && std::abs(inner(kept, 0)) == 1 && std::abs(inner(reduced, k)) != 1;
    if (columns_) {
      std::vector<int> order;
      for (int axis = 0; axis < r; axis++) order.push_back(k + axis);
      for (int axis = 0; axis < k; axis++) order.push_back(axis);
      expression_.orderBy(order);
      // several rows of few entries at a time; of many entries blocks that end where the inputs' rows do
      const std::int64_t row = std::min(expression_.rowLength(), kept_);
      if (const auto* input = expression_.onlyInput()) findPlainColumns(*input, kept, reduced, row);
      if (!plain_ && kept_ <= lanes / 2) together_ = std::min<std::int64_t>(lanes / kept_, reduced_);
      line_ = plain_ || (kept_ > lanes / 2 && row >= lanes / 4) ? row : kept_;
      cuts_ = (line_ + lanes - 1) / lanes;
      width_ = (line_ + cuts_ - 1) / cuts_;
    }
    // cut the reduction where the kept entries alone are too few for many threads
    const std::int64_t tasks = columns_ ? kept_ / line_ * cuts_ : kept_;
    const std::int64_t per = columns_ ? std::max<std::int64_t>(1, part / width_) : part;
    parts_ = tasks >= 16 ? 1 : std::clamp<std::int64_t>(reduced_ / per, 1, 64);
  }

  /// Sums of an input alone, whose reduced entries lie at equal distances, need no evaluation.
  void findPlainColumns(const typename Expression<Real>::Input& input, const Shape& kept, const Shape& reduced, std::int64_t row) {
    const auto border = input.strides.begin() + static_cast<std::ptrdiff_t>(kept.size());
    Strided along{reduced, {Strides(border, input.strides.end())}};
    along.merge();
    plain_ = !maximum_ && along.axes() == 1 && row >= 64;
    stride_ = along.strides[0].back();
    keptRuns_ = Runs(kept, Strides(input.strides.begin(), border));
  }

  double join(double a, double b) const { return maximum_ ? larger(a, b) : a + b; }
  double nothing() const { return maximum_ ? -std::numeric_limits<double>::infinity() : 0; }
  void joinRows(const Real* x, std::int64_t rows, std::int64_t n, double* totals) const {
    const Elementwise<Real>& loops = isa<Real>().elementwise;
    (maximum_ ? loops.maxima : loops.sums)(x, rows, n, totals);
  }
  void finish(const double* totals, std::int64_t count, Real* y) const {
    for (std::int64_t i = 0; i < count; i++) {
      const Real value = static_cast<Real>(maximum_ ? totals[i] : scale_ * totals[i]);
      y[i] = accumulate_ ? y[i] + value : value;
    }
  }

  /// done(i, part, totals, count) for the kept entries i … i + count, of each part of the reduction.
  template <class F> void eachTask(const Run& run, const F& done) const {
    if (columns_) eachColumns(run, done);
    else if (reduced_ <= lanes / 2) eachShortRows(run, done);
    else eachRow(run, done);
  }

  /// Several rows in one run.
  template <class F> void eachShortRows(const Run& run, const F& done) const {
    const std::int64_t rows = lanes / reduced_;
    const double nanoseconds = 2 + expression_.nanosecondsPerElement() * static_cast<double>(reduced_);
    run.parallelRanges(kept_, grainOf(nanoseconds), [&](std::int64_t from, std::int64_t to) {
      Real* registers = expression_.registers();
      double totals[lanes];
      for (std::int64_t i = from; i < to; i += rows) {
        const std::int64_t here = std::min(rows, to - i);
        joinRows(expression_.row(run, i * reduced_, static_cast<int>(here * reduced_), registers), here, reduced_, totals);
        done(i, 0, totals, here);
      }
    });
  }

  template <class F> void eachRow(const Run& run, const F& done) const {
    const std::int64_t length = (reduced_ + parts_ - 1) / parts_;
    const double nanoseconds = expression_.nanosecondsPerElement() * static_cast<double>(length);
    run.parallelRanges(kept_ * parts_, grainOf(nanoseconds), [&](std::int64_t from, std::int64_t to) {
      Real* registers = expression_.registers();
      for (std::int64_t task = from; task < to; task++) {
        const std::int64_t i = task / parts_, p = task % parts_, end = i * reduced_ + std::min(reduced_, (p + 1) * length);
        double total = nothing();
        for (std::int64_t start = i * reduced_ + p * length, count = 0; start < end; start += count) {
          count = expression_.reach(start, end - start);
          double own = 0;
          joinRows(expression_.row(run, start, static_cast<int>(count), registers), 1, count, &own);
          total = join(total, own);
        }
        done(i, p, &total, 1);
      }
    });
  }

  template <class F> void eachColumns(const Run& run, const F& done) const {
    const Elementwise<Real>& loops = isa<Real>().elementwise;
    const auto larger = loops.binary[static_cast<int>(BinaryOp::max)][static_cast<int>(Single::neither)];
    const std::int64_t blocks = kept_ / line_ * cuts_, length = (reduced_ + parts_ - 1) / parts_;
    const double nanoseconds = expression_.nanosecondsPerElement() * static_cast<double>(width_ * length);
    run.parallelRanges(blocks * parts_, grainOf(nanoseconds), [&](std::int64_t from, std::int64_t to) {
      Real* registers = expression_.registers();
      double totals[lanes];
      Real largest[lanes];
      for (std::int64_t task = from; task < to; task++) {
        const std::int64_t p = task / blocks, cut = task % blocks % cuts_ * width_, i = task % blocks / cuts_ * line_ + cut;
        const std::int64_t count = std::min(width_, line_ - cut), wide = together_ * count;
        std::fill_n(totals, wide, 0.0);
        std::fill_n(largest, wide, -std::numeric_limits<Real>::infinity());
        const std::int64_t first = p * length, end = std::min(reduced_, first + length);
        if (plain_ && keptRuns_.step() == 1 && keptRuns_.together(i, count)) {
          const Real* x = run.read<Real>(expression_.onlyInput()->place) + first * stride_;
          loops.addDoubles(x + keptRuns_.at(i), stride_, end - first, totals, count);
          done(i, p, totals, count);
          continue;
        }
        for (std::int64_t j = first; j < end; j += together_) {
          const std::int64_t n = count * std::min(together_, end - j);
          const Real* values = expression_.row(run, j * kept_ + i, static_cast<int>(n), registers);
          if (maximum_) larger(largest, values, largest, n);
          else loops.addDoubles(values, n, 1, totals, n);
        }
        if (maximum_) std::copy_n(largest, wide, totals);
        for (std::int64_t lane = count; lane < wide; lane++) totals[lane % count] = join(totals[lane % count], totals[lane]);
        done(i, p, totals, count);
      }
    });
  }

  Expression<Real> expression_;
  std::int64_t kept_, reduced_, parts_ = 1;
  /// Of columns: kept entries of a line and of a block, blocks of a line, and how many times a block is evaluated together.
  std::int64_t line_ = 1, width_ = 1, cuts_ = 1, together_ = 1;
  bool plain_ = false;
  std::ptrdiff_t stride_ = 0;
  Runs keptRuns_;
  Place y_;
  double scale_ = 1;
  bool maximum_ = false, accumulate_ = false, columns_ = false;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeReduce(CallReader& words) { return std::make_unique<Reduce<Real>>(words); }
template std::unique_ptr<Call> decodeReduce<float>(CallReader&);
template std::unique_ptr<Call> decodeReduce<double>(CallReader&);

}  // namespace gradpack
