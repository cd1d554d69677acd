// Rows are (c, k), columns positions (n, t), steps output channels. A few channels at a time, so that the product is folded into the
// frame while it is in L2.
#include "../gemm/blocked.h"
#include "../isa/isa.h"
#include "../window/frame.h"
#include "join.h"
#include "methods.h"

namespace gradpack {
namespace {

/// Columns of a run from which joining images gains nothing.
constexpr std::int64_t enoughColumns = 128;
/// Most numbers of a product.
constexpr std::int64_t productSize = 1 << 16;

template <class Real> class FoldedProduct final : public ConvolutionCall<Real> {
  using Base = ConvolutionCall<Real>;
  using Base::spec_;

 public:
  explicit FoldedProduct(const Convolution& spec)
      : Base(spec), view_(spec.view), frame_(spec.window), T_(frame_.outputs), runs_(joinImages(spec.images, T_, enoughColumns, std::max(checkedProduct(view_.C, frame_.size), Base::fromSize()))),
        depth_(std::clamp<std::int64_t>(productSize / (view_.K * runs_.size(0) * T_), 1, view_.C)) {
    const int width = isa<Real>().lanes.width;
    for (std::int64_t images = runs_.base; images <= runs_.size(0); images++)
      lanes_.push_back({Lanes(width, joinedPositions(inOrder(T_), images, Base::fromSize())), Lanes(width, joinedPositions(frame_.columns, images, depth_ * frame_.size))});
    for (std::int64_t o = 0; o < view_.O; o++) steps_.push_back(static_cast<std::int32_t>(o * T_));
  }

  void run(const Run& run) const override {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const std::int64_t each = view_.O * view_.columns(), pieces = ceilDivide(view_.C, depth_);
    Real* packed = scratch<Real>(Scratch::sharedRows, Base::weights() * view_.G * each);
    run.parallelRanges(Base::weights() * view_.G * pieces, 1 + productSize / (depth_ * view_.K * view_.O), [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; i++) {
        const std::int64_t piece = i % pieces, g = i / pieces % view_.G, w = i / pieces / view_.G;
        packWeights(Base::weight(run, w, g), piece * depth_, packed + (w * view_.G + g) * each);
      }
    });
    const std::int64_t work = depth_ * view_.K * view_.O * runs_.base * T_;
    run.parallelRanges(spec_.stacks * runs_.count * view_.G * pieces, 1 + productSize / work, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t task = from; task < to; task++) {
        const std::int64_t piece = task % pieces, g = task / pieces % view_.G, group = task / pieces / view_.G % runs_.count, stack = task / pieces / view_.G / runs_.count;
        multiply(run, tiles, stack, group, g, piece * depth_, packed + (Base::weightOf(stack) * view_.G + g) * each);
      }
    });
  }

 private:
  struct RunLanes {
    Lanes from, frame;
  };
  std::int64_t depthAt(std::int64_t c) const { return std::min(depth_, view_.C - c); }

  /// Rows (c, k) of a piece: tiles [o][m].
  void packWeights(const Real* weight, std::int64_t c, Real* packed) const {
    const Split rows(depthAt(c) * view_.K, isa<Real>().tiles.rows);
    for (std::int64_t i = 0; i < rows.count; i++) {
      const std::int64_t m = rows.size(i);
      Real* d = packed + (c * view_.K + rows.at(i)) * view_.O;
      for (std::int64_t r = 0; r < m; r++) {
        const std::int64_t column = c * view_.K + rows.at(i) + r;
        for (std::int64_t o = 0; o < view_.O; o++) d[o * m + r] = weight[view_.at(0, o, column)];
      }
    }
  }

  void multiply(const Run& run, const Tiles<Real>& tiles, std::int64_t stack, std::int64_t group, std::int64_t g, std::int64_t c, const Real* packed) const {
    const LaneKernels<Real>& kernels = isa<Real>().lanes;
    const std::int64_t images = runs_.size(group), n = runs_.at(group), O = view_.O, W = kernels.width, depth = depthAt(c);
    const RunLanes& lanes = lanes_[images - runs_.base];
    const Split rows(depth * view_.K, tiles.rows);
    const std::int64_t vectors = lanes.from.vectors(), ld = vectors * W;
    const Real* y = Base::from(run, stack, n) + g * O * T_;
    Real* panel = scratch<Real>(Scratch::columns, O * tiles.columns);
    Real* product = scratch<Real>(Scratch::product, depth * view_.K * ld);
    for (std::int64_t v = 0; v < vectors; v += 2) {
      const bool two = v + 1 < vectors;
      const std::int64_t width = two ? 2 * W : W;
      for (std::int64_t h = 0; h < width / W; h++) kernels.pack(lanes.from, v + h, y, steps_.data(), O, panel + h * W, width);
      for (std::int64_t i = 0; i < rows.count; i++)
        (two ? tiles.wide : tiles.narrow)[rows.size(i)](O, packed + (c * view_.K + rows.at(i)) * O, rows.size(i), panel, width, product + rows.at(i) * ld + v * W, ld, false);
    }

    const std::int64_t apart = depth_ * frame_.size;
    Real* frames = scratch<Real>(Scratch::frame, images * apart);
    std::fill_n(frames, images * apart, Real(0));
    for (std::int64_t row = 0; row < depth * view_.K; row++) kernels.fold(lanes.frame, product + row * ld, frames + row / view_.K * frame_.size + frame_.taps[row % view_.K]);
    for (std::int64_t image = 0; image < images; image++) {
      Real* x = Base::to(run, stack, n + image) + (g * view_.C + c) * frame_.inputs;
      if (spec_.biased)
        for (std::int64_t i = 0; i < depth; i++) std::fill_n(x + i * frame_.inputs, frame_.inputs, run.read<Real>(spec_.bias)[g * view_.C + c + i]);
      frame_.collect(frames + image * apart, depth, x, frame_.inputs, spec_.accumulate || spec_.biased);
    }
  }

  const MatrixView view_;
  const Frame frame_;
  std::int64_t T_;
  Split runs_;
  /// Channels of a piece.
  std::int64_t depth_;
  /// Of runs of runs_.base images, and of one more where there are such.
  std::vector<RunLanes> lanes_;
  /// Of output channel o: its offset in y.
  std::vector<std::int32_t> steps_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> makeFoldedProduct(const Convolution& spec) { return std::make_unique<FoldedProduct<Real>>(spec); }
template std::unique_ptr<Call> makeFoldedProduct<float>(const Convolution&);
template std::unique_ptr<Call> makeFoldedProduct<double>(const Convolution&);

}  // namespace gradpack
