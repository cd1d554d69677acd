// convolve and convolveTransposed as matrix products per group of images.
//
// Forward: y[o, (n,t)] = Σ_{ck} W[o, ck] x[c, p(k,t)]. The unfolded image is never stored: its panels are packed straight from x by
// the window's runs (the column matrix of a batch is 9 times the image for a 3×3 kernel). Small images are joined until a product
// has 128 columns (T = 36 alone reaches 74 GFLOP/s, joined 96, knowledge/native-outer.md).
// Transposed: D[ck, (n,t)] = Σ_o W[o, ck] y[o, t] for a few channels at a time, folded into x while D is in L2.
#include <algorithm>

#include "../gemm/blocked.h"
#include "../isa/isa.h"
#include "../program/matrix-view.h"
#include "../window/window.h"
#include "decoders.h"

namespace gradpack {
namespace {

/// Columns of a product from which joining images gains nothing.
constexpr std::int64_t enoughColumns = 128;
/// Floats of D in one piece.
constexpr std::int64_t pieceSize = 1 << 16;

template <class Real, bool transposed> class Convolution final : public Call {
 public:
  explicit Convolution(CallReader& words)
      : V_((words.expectOperands(!transposed && words.readCount() == 3 ? 3 : 2, 1), words.extent())), N_(words.extent()), xPerColumn_(words.flag()), weightPerColumn_(words.flag()), size_(words.extent()), view_(words), window_(Window(words)),
        accumulate_(words.flag()), hasBias_(!transposed && words.flag()) {
    accumulate_ = accumulate_ || hasBias_;
    if (hasBias_) bias_ = words.read(2, words.precision, Extent::contiguous(view_.G * view_.O));
    if (window_.offsets != view_.K) failInternal("its window has " + std::to_string(window_.offsets) + " offsets and its weight " + std::to_string(view_.K));
    sizeOf({V_, N_, view_.G * view_.O, window_.outputs, view_.columns()});
    const std::int64_t wide = view_.G * view_.C * window_.inputs, narrow = view_.G * view_.O * window_.outputs;
    const std::int64_t fromPixels = transposed ? narrow : wide, toPixels = transposed ? wide : narrow;
    from_ = words.read(0, words.precision, Extent::contiguous(sizeOf({xPerColumn_ ? V_ : 1, N_, fromPixels})));
    weight_ = words.read(1, words.precision, Extent{}.axis(weightPerColumn_ ? V_ : 1, size_).shift(view_.extent().low, view_.extent().high));
    to_ = words.write(0, words.precision, Extent::contiguous(sizeOf({V_, N_, toPixels})));
    join_ = std::min(N_, ceilDivide(enoughColumns, window_.outputs));
  }

  void run(const Run& run) const override {
    if (hasBias_) {
      const std::int64_t channels = view_.G * view_.O, T = window_.outputs;
      run.parallel(V_ * N_ * channels, [&](std::int64_t row) { std::fill_n(run.write<Real>(to_) + row * T, T, run.read<Real>(bias_)[row % channels]); });
    }
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const Real* weight = run.read<Real>(weight_);
    const std::int64_t weights = weightPerColumn_ ? V_ : 1, each = view_.O * view_.columns();
    Real* packed = scratch<Real>(Scratch::sharedRows, weights * view_.G * each);
    // channels whose D is one piece; all of them in the forward product
    const std::int64_t depth = transposed ? std::clamp<std::int64_t>(pieceSize / (view_.K * join_ * window_.outputs), 1, view_.C) : view_.C;
    run.parallel(weights * view_.G, [&](std::int64_t i) { pack(tiles, weight + i / view_.G * size_ + i % view_.G * view_.g, depth, packed + i * each); });

    const Split images(N_, join_);
    const std::int64_t pieces = transposed ? ceilDivide(view_.C, depth) : cuts(run.threads, images.count);
    run.parallel(V_ * images.count * view_.G * pieces, [&](std::int64_t task) {
      const std::int64_t piece = task % pieces, g = task / pieces % view_.G, group = task / pieces / view_.G % images.count, v = task / pieces / view_.G / images.count;
      const Real* rows = packed + ((weightPerColumn_ ? v : 0) * view_.G + g) * each;
      if constexpr (transposed) adjoint(run, tiles, v, images.at(group), images.size(group), g, piece * depth, std::min(depth, view_.C - piece * depth), rows);
      else forward(run, tiles, v, images.at(group), images.size(group), g, piece, pieces, rows);
    });
  }
  double flops() const override { return 2.0 * static_cast<double>(V_ * N_ * view_.G * view_.O) * static_cast<double>(window_.outputs * view_.columns()); }
  double bytes() const override { return static_cast<double>(V_ * N_ * view_.G) * static_cast<double>(view_.C * window_.inputs + view_.O * window_.outputs) * sizeof(Real); }

 private:
  /// Pieces of one image's columns, where images and columns v alone are too few for the threads.
  std::int64_t cuts(int threads, std::int64_t groups) const {
    const std::int64_t tasks = V_ * groups * view_.G;
    return threads == 1 || tasks >= 4 * threads ? 1 : std::clamp<std::int64_t>(join_ * window_.outputs / enoughColumns, 1, 4 * threads / tasks);
  }

  /// Forward: rows o, steps ck. Transposed: rows ck, `depth` channels at a time, steps o.
  void pack(const Tiles<Real>& tiles, const Real* weight, std::int64_t depth, Real* packed) const {
    if constexpr (!transposed) {
      PackedRows<Real>(tiles, view_.O, view_.columns(), packed).pack([&](std::int64_t i, std::int64_t k, std::int64_t m, std::int64_t kk, Real* d) {
        if (view_.regular()) return packSteps<Real>(tiles, {weight + view_.at(0, i, k), view_.o, view_.columnStride()}, m, kk, d, m);
        for (std::int64_t q = 0; q < kk; q++)
          for (std::int64_t r = 0; r < m; r++) *d++ = weight[view_.at(0, i + r, k + q)];
      });
    } else {
      for (std::int64_t c = 0; c < view_.C; c += depth) {
        const std::int64_t rows = std::min(depth, view_.C - c) * view_.K, first = c * view_.K;
        PackedRows<Real>(tiles, rows, view_.O, packed + first * view_.O).pack([&](std::int64_t i, std::int64_t k, std::int64_t m, std::int64_t kk, Real* d) {
          if (view_.regular()) return packSteps<Real>(tiles, {weight + view_.at(0, k, first + i), view_.columnStride(), view_.o}, m, kk, d, m);
          for (std::int64_t q = 0; q < kk; q++)
            for (std::int64_t r = 0; r < m; r++) *d++ = weight[view_.at(0, k + q, first + i + r)];
        });
      }
    }
  }

  /// body(image, its first position, how many, where they begin in the piece) for columns [j, j + n) of joined images.
  template <class F> void eachImage(std::int64_t j, std::int64_t n, const F& body) const {
    const std::int64_t T = window_.outputs;
    for (std::int64_t done = 0; done < n;) {
      const std::int64_t image = (j + done) / T, t = (j + done) % T, count = std::min(T - t, n - done);
      body(image, t, count, done);
      done += count;
    }
  }

  void forward(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t n0, std::int64_t images, std::int64_t g, std::int64_t piece, std::int64_t pieces, Real const* packed) const {
    const std::int64_t T = window_.outputs, S = window_.inputs, O = view_.O, channels = view_.G * view_.C;
    const Real* x = run.read<Real>(from_) + (((xPerColumn_ ? v : 0) * N_ + n0) * channels + g * view_.C) * S;
    Real* y = run.write<Real>(to_) + ((v * N_ + n0) * view_.G + g) * O * T;
    const std::int64_t first = images * T * piece / pieces / tiles.columns * tiles.columns, end = piece + 1 == pieces ? images * T : images * T * (piece + 1) / pieces / tiles.columns * tiles.columns;
    if (first == end) return;
    Real* line = scratch<Real>(Scratch::line, blockColumns);
    const auto columns = [&](std::int64_t k, std::int64_t kk, std::int64_t j, std::int64_t n, Real* d) {
      for (std::int64_t q = 0; q < kk; q++) {
        const std::int64_t c = (k + q) / view_.K, offset = (k + q) % view_.K;
        eachImage(first + j, n, [&](std::int64_t image, std::int64_t t, std::int64_t count, std::int64_t at) { window_.unfold(offset, x + (image * channels + c) * S, t, count, line + at); });
        packLine(tiles, line, kk, q, n, d);
      }
    };
    const PackedRows<Real> rows(tiles, O, view_.columns(), const_cast<Real*>(packed));
    if (images == 1) return multiplyPacked<Real>(tiles, rows, end - first, columns, {y + first, T, 1, accumulate_});
    Real* product = scratch<Real>(Scratch::product, O * images * T);
    multiplyPacked<Real>(tiles, rows, end - first, columns, {product, images * T, 1, false});
    for (std::int64_t image = 0; image < images; image++)
      for (std::int64_t o = 0; o < O; o++) {
        const Real* from = product + (o * images + image) * T;
        Real* to = y + (image * view_.G * O + o) * T;
        if (accumulate_)
          for (std::int64_t t = 0; t < T; t++) to[t] += from[t];
        else std::copy_n(from, T, to);
      }
  }

  void adjoint(const Run& run, const Tiles<Real>& tiles, std::int64_t v, std::int64_t n0, std::int64_t images, std::int64_t g, std::int64_t c0, std::int64_t depth, const Real* packed) const {
    const std::int64_t T = window_.outputs, S = window_.inputs, O = view_.O, channels = view_.G * view_.C, rows = depth * view_.K, J = images * T;
    const Real* y = run.read<Real>(from_) + (((xPerColumn_ ? v : 0) * N_ + n0) * view_.G + g) * O * T;
    Real* x = run.write<Real>(to_) + ((v * N_ + n0) * channels + g * view_.C + c0) * S;
    Real* line = scratch<Real>(Scratch::line, blockColumns);
    const auto columns = [&](std::int64_t k, std::int64_t kk, std::int64_t j, std::int64_t n, Real* d) {
      if (images == 1) return packColumns<Real>(tiles, {y + k * T + j, T, 1}, kk, n, d);
      for (std::int64_t q = 0; q < kk; q++) {
        eachImage(j, n, [&](std::int64_t image, std::int64_t t, std::int64_t count, std::int64_t at) { std::copy_n(y + (image * view_.G * O + k + q) * T + t, count, line + at); });
        packLine(tiles, line, kk, q, n, d);
      }
    };
    Real* product = scratch<Real>(Scratch::product, rows * J);
    multiplyPacked<Real>(tiles, PackedRows<Real>(tiles, rows, O, const_cast<Real*>(packed) + c0 * view_.K * O), J, columns, {product, J, 1, false});
    for (std::int64_t image = 0; image < images; image++)
      for (std::int64_t c = 0; c < depth; c++) {
        Real* to = x + (image * channels + c) * S;
        if (!accumulate_) std::fill_n(to, S, Real(0));
        for (std::int64_t k = 0; k < view_.K; k++) window_.fold(k, product + (c * view_.K + k) * J + image * T, 0, T, to);
      }
  }

  std::int64_t V_, N_;
  bool xPerColumn_, weightPerColumn_;
  std::int64_t size_;
  MatrixView view_;
  WindowRuns window_;
  bool accumulate_, hasBias_;
  Place from_, weight_, to_, bias_;
  std::int64_t join_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeConvolve(CallReader& words) { return std::make_unique<Convolution<Real, false>>(words); }
template <class Real> std::unique_ptr<Call> decodeConvolveTransposed(CallReader& words) { return std::make_unique<Convolution<Real, true>>(words); }
template std::unique_ptr<Call> decodeConvolve<float>(CallReader&);
template std::unique_ptr<Call> decodeConvolve<double>(CallReader&);
template std::unique_ptr<Call> decodeConvolveTransposed<float>(CallReader&);
template std::unique_ptr<Call> decodeConvolveTransposed<double>(CallReader&);

}  // namespace gradpack
