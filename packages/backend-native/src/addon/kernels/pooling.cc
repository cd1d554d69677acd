// maxPool, averagePool and its adjoint, over rows (planes) of S positions. As many planes as a vector has lanes are transposed to lie
// side by side: then every window geometry is a loop over vectors.
#include <algorithm>

#include "../isa/isa.h"
#include "../memory/scratch.h"
#include "../threads/grain.h"
#include "../window/neighbours.h"
#include "decoders.h"

namespace gradpack {
namespace {

/// d[q·width + r] = s[r·stride + q], r < planes <= width, q < n.
template <class T> void sideBySide(const T* s, std::ptrdiff_t stride, int planes, std::ptrdiff_t n, T* d, int width) {
  if (planes < width) std::fill_n(d, n * width, T(0));  // nothing may be computed from what was there before
  isa<T>().tiles.transpose(s, stride, planes, n, d, width);
}

/// Its inverse: d[r·stride + q] = s[q·width + r].
template <class T> void apart(const T* s, int width, int planes, std::ptrdiff_t n, T* d, std::ptrdiff_t stride) {
  const int most = isa<T>().tiles.columns / 2;
  for (std::ptrdiff_t q = 0; q < n; q += most) isa<T>().tiles.transpose(s + q * width, width, static_cast<int>(std::min<std::ptrdiff_t>(most, n - q)), planes, d + q, stride);
}

template <class Real> class Pooling : public Call {
 public:
  double bytes() const override { return static_cast<double>(rows_) * static_cast<double>(entries_ + results_ + around_.count() / 4) * sizeof(Real); }

 protected:
  Pooling(std::int64_t rows, std::int64_t entries, std::int64_t results, Neighbours around) : rows_(rows), entries_(entries), results_(results), around_(std::move(around)) {}

  Extent entries() const { return Extent::contiguous(checkedProduct(rows_, entries_)); }
  Extent results() const { return Extent::contiguous(checkedProduct(rows_, results_)); }

  /// body(first row, rows, piece, its entries side by side, room for its results) for as many rows as lie side by side.
  template <class F> void eachPiece(const Run& run, const Real* x, const F& body) const {
    const int width = isa<Real>().planes.width;
    // about 0.3 ns to move a number to its place, and as much for each that a window reads
    const double nanoseconds = 0.3 * width * static_cast<double>(entries_ + 2 * results_ + around_.count());
    run.parallelRanges((rows_ + width - 1) / width, grainOf(nanoseconds), [&](std::int64_t from, std::int64_t to) {
      Real* wide = scratch<Real>(Scratch::rows, around_.mostEntries() * width);
      Real* narrow = scratch<Real>(Scratch::columns, around_.mostResults() * width);
      for (std::int64_t row = from * width, end = std::min(rows_, to * width); row < end; row += width) {
        const int planes = static_cast<int>(std::min<std::int64_t>(width, end - row));
        for (const Neighbours::Piece& piece : around_.pieces()) {
          sideBySide(x + row * entries_ + piece.low, entries_, planes, piece.span, wide, width);
          body(row, planes, piece, wide, narrow);
        }
      }
    });
  }

  std::int64_t rows_, entries_, results_;
  Neighbours around_;
};

template <class Real> class MaxPool final : public Pooling<Real> {
 public:
  MaxPool(CallReader& words, std::int64_t rows, const Window& window) : Pooling<Real>(rows, window.inputs(), window.outputs(), Neighbours::ofOutputs(window)) {
    x_ = words.read(0, words.precision, this->entries());
    y_ = words.write(0, words.precision, this->results());
    index_ = words.write(1, Dtype::int32, this->results());
  }
  void run(const Run& run) const override {
    const PlaneKernels<Real>& kernels = isa<Real>().planes;
    const std::int64_t T = this->results_;
    const Neighbours& around = this->around_;
    Real* y = run.write<Real>(y_);
    // transposing moves bits, whatever they mean
    float* index = reinterpret_cast<float*>(run.write<std::int32_t>(index_));
    this->eachPiece(run, run.read<Real>(x_), [&](std::int64_t row, int planes, const Neighbours::Piece& piece, const Real* wide, Real* narrow) {
      const std::int64_t n = piece.to - piece.from;
      std::int32_t* places = scratch<std::int32_t>(Scratch::line, around.mostResults() * kernels.width);
      kernels.largest(wide, piece.span, around.first() + piece.from, around.entry(), n, piece.low, narrow, places);
      apart(narrow, kernels.width, planes, n, y + row * T + piece.from, T);
      apart(reinterpret_cast<const float*>(places), kernels.width, planes, n, index + row * T + piece.from, T);
    });
  }

 private:
  Place x_, y_, index_;
};

template <class Real> class AveragePool final : public Pooling<Real> {
 public:
  AveragePool(CallReader& words, std::int64_t rows, const Window& window) : Pooling<Real>(rows, window.inputs(), window.outputs(), Neighbours::ofOutputs(window)) {
    for (std::int64_t t = 0; t < this->results_; t++) divisors_.push_back(static_cast<Real>(words.number()));
    x_ = words.read(0, words.precision, this->entries());
    y_ = words.write(0, words.precision, this->results());
  }
  void run(const Run& run) const override {
    const PlaneKernels<Real>& kernels = isa<Real>().planes;
    const std::int64_t T = this->results_;
    const Neighbours& around = this->around_;
    Real* y = run.write<Real>(y_);
    this->eachPiece(run, run.read<Real>(x_), [&](std::int64_t row, int planes, const Neighbours::Piece& piece, const Real* wide, Real* narrow) {
      const std::int64_t n = piece.to - piece.from;
      kernels.sum(wide, around.first() + piece.from, around.entry(), n, narrow);
      kernels.divide(divisors_.data() + piece.from, n, narrow);
      apart(narrow, kernels.width, planes, n, y + row * T + piece.from, T);
    });
  }

 private:
  std::vector<Real> divisors_;
  Place x_, y_;
};

template <class Real> class AveragePoolTransposed final : public Pooling<Real> {
 public:
  AveragePoolTransposed(CallReader& words, std::int64_t rows, const Window& window) : Pooling<Real>(rows, window.outputs(), window.inputs(), Neighbours::ofInputs(window)) {
    for (std::int64_t t = 0; t < this->entries_; t++) divisors_.push_back(static_cast<Real>(words.number()));
    y_ = words.read(0, words.precision, this->entries());
    x_ = words.write(0, words.precision, this->results());
  }
  void run(const Run& run) const override {
    const PlaneKernels<Real>& kernels = isa<Real>().planes;
    const std::int64_t S = this->results_;
    const Neighbours& around = this->around_;
    Real* x = run.write<Real>(x_);
    this->eachPiece(run, run.read<Real>(y_), [&](std::int64_t row, int planes, const Neighbours::Piece& piece, Real* wide, Real* narrow) {
      const std::int64_t n = piece.to - piece.from;
      kernels.divide(divisors_.data() + piece.low, piece.span, wide);
      kernels.sum(wide, around.first() + piece.from, around.entry(), n, narrow);
      apart(narrow, kernels.width, planes, n, x + row * S + piece.from, S);
    });
  }

 private:
  std::vector<Real> divisors_;
  Place y_, x_;
};

template <class Pool> std::unique_ptr<Call> decodePool(CallReader& words, int results) {
  words.expectOperands(1, results);
  const std::int64_t rows = words.extent();
  return std::make_unique<Pool>(words, rows, Window(words));
}

}  // namespace

template <class Real> std::unique_ptr<Call> decodeMaxPool(CallReader& words) { return decodePool<MaxPool<Real>>(words, 2); }
template <class Real> std::unique_ptr<Call> decodeAveragePool(CallReader& words) { return decodePool<AveragePool<Real>>(words, 1); }
template <class Real> std::unique_ptr<Call> decodeAveragePoolTransposed(CallReader& words) { return decodePool<AveragePoolTransposed<Real>>(words, 1); }
template std::unique_ptr<Call> decodeMaxPool<float>(CallReader&);
template std::unique_ptr<Call> decodeMaxPool<double>(CallReader&);
template std::unique_ptr<Call> decodeAveragePool<float>(CallReader&);
template std::unique_ptr<Call> decodeAveragePool<double>(CallReader&);
template std::unique_ptr<Call> decodeAveragePoolTransposed<float>(CallReader&);
template std::unique_ptr<Call> decodeAveragePoolTransposed<double>(CallReader&);

}  // namespace gradpack
