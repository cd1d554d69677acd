// Rows are output channels, columns positions (n, t), steps (c, k). The unfolded image is never stored: panels of 2 vectors of columns
// are packed straight from the image's frame, whose columns run in few pieces. Small images are joined until a run has 128 columns
// (T = 36 alone reaches 74 GFLOP/s, joined 96, knowledge/native-outer.md).
#include "../gemm/pack.h"
#include "../isa/isa.h"
#include "../memory/scratch.h"
#include "../window/frame.h"
#include "join.h"
#include "methods.h"

namespace gradpack {
namespace {

/// Columns of a run from which joining images gains nothing.
constexpr std::int64_t enoughColumns = 128;
/// Bytes of a panel that stays in L2 beside the weights of a tile.
constexpr std::int64_t panelBytes = 1 << 18;
/// Multiplications that are worth a task of their own.
constexpr std::int64_t taskWork = 1 << 16;

template <class Real> class Correlation final : public ConvolutionCall<Real> {
  using Base = ConvolutionCall<Real>;
  using Base::spec_;

 public:
  explicit Correlation(const Convolution& spec)
      : Base(spec), view_(spec.view), frame_(spec.window), T_(frame_.outputs), steps_(view_.columns() + (spec.biased ? 1 : 0)),
        frameSize_(checkedProduct(frame_.isImage() ? view_.G * view_.C : view_.C, frame_.size)),
        runs_(joinImages(spec.images, T_, enoughColumns, std::max(frameSize_, Base::toSize()))) {
    for (std::int64_t c = 0; c < view_.C; c++)
      for (const std::int32_t tap : frame_.taps) taps_.push_back(static_cast<std::int32_t>(c * frame_.size) + tap);
    const int width = isa<Real>().lanes.width;
    for (std::int64_t images = runs_.base; images <= runs_.size(0); images++)
      lanes_.push_back({Lanes(width, joinedPositions(frame_.columns, images, frameSize_)), Lanes(width, joinedPositions(inOrder(T_), images, Base::toSize()))});
  }

  void run(const Run& run) const override {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const Split rows(view_.O, tiles.rows);
    const std::int64_t each = view_.O * steps_;
    Real* packed = scratch<Real>(Scratch::sharedRows, Base::weights() * view_.G * each);
    run.parallelRanges(Base::weights() * view_.G * rows.count, 1 + taskWork / (steps_ * tiles.rows), [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; i++) {
        const std::int64_t tile = i % rows.count, g = i / rows.count % view_.G, w = i / rows.count / view_.G;
        packWeights(run, tiles, w, g, rows.at(tile), rows.size(tile), packed + (w * view_.G + g) * each + rows.at(tile) * steps_);
      }
    });

    const std::int64_t parts = cuts(run.threads), count = spec_.stacks * runs_.count * view_.G * parts;
    // an image in several tasks is laid out once for all
    Real* frames = parts == 1 || frame_.isImage() ? nullptr : scratch<Real>(Scratch::sharedColumns, spec_.stacks * spec_.images * view_.G * frameSize_);
    if (frames != nullptr) run.parallel(spec_.stacks * spec_.images * view_.G, [&](std::int64_t i) {
        const std::int64_t g = i % view_.G, image = i / view_.G % spec_.images, stack = i / view_.G / spec_.images;
        frame_.lay(Base::from(run, stack, image) + g * view_.C * frame_.inputs, frame_.inputs, view_.C, frames + ((stack * view_.G + g) * spec_.images + image) * frameSize_);
      });
    run.parallelRanges(count, 1 + taskWork * parts / (each * runs_.base * T_), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t task = first; task < last; task++) {
        const std::int64_t part = task % parts, g = task / parts % view_.G, group = task / parts / view_.G % runs_.count, stack = task / parts / view_.G / runs_.count;
        const std::int64_t images = runs_.size(group), n = runs_.at(group);
        const Real* x = frames != nullptr ? frames + ((stack * view_.G + g) * spec_.images + n) * frameSize_ : framesOf(run, stack, n, images, g);
        multiply(tiles, rows, lanes_[images - runs_.base], x, packed + (Base::weightOf(stack) * view_.G + g) * each, part, parts, Base::to(run, stack, n) + g * view_.O * T_);
      }
    });
  }

 private:
  struct RunLanes {
    Lanes in, out;
  };

  /// Parts of one run's columns, where runs alone are too few for the threads.
  std::int64_t cuts(int threads) const {
    const std::int64_t tasks = spec_.stacks * runs_.count * view_.G;
    return threads == 1 || tasks >= 4 * threads ? 1 : std::clamp<std::int64_t>(runs_.base * T_ / enoughColumns, 1, ceilDivide(4 * threads, tasks));
  }

  /// [steps][m]; the last step is the bias, which meets a 1.
  void packWeights(const Run& run, const Tiles<Real>& tiles, std::int64_t w, std::int64_t g, std::int64_t row, std::int64_t m, Real* d) const {
    const Real* weight = Base::weight(run, w, g) + row * view_.o;
    if (view_.regular()) packSteps<Real>(tiles, {weight, view_.o, view_.columnStride()}, m, view_.columns(), d, m);
    else
      for (std::int64_t c = 0; c < view_.C; c++) packSteps<Real>(tiles, {weight + c * view_.c, view_.o, view_.k}, m, view_.K, d + c * view_.K * m, m);
    if (spec_.biased) std::copy_n(run.read<Real>(spec_.bias) + g * view_.O + row, m, d + view_.columns() * m);
  }

  /// The frames of images [n, n + images), in the image itself or in scratch.
  const Real* framesOf(const Run& run, std::int64_t stack, std::int64_t n, std::int64_t images, std::int64_t g) const {
    const auto channels = [&](std::int64_t image) { return Base::from(run, stack, image) + g * view_.C * frame_.inputs; };
    if (frame_.isImage()) return channels(n);
    Real* frames = scratch<Real>(Scratch::frame, images * frameSize_);
    for (std::int64_t image = 0; image < images; image++) frame_.lay(channels(n + image), frame_.inputs, view_.C, frames + image * frameSize_);
    return frames;
  }

  void multiply(const Tiles<Real>& tiles, const Split& rows, const RunLanes& lanes, const Real* x, const Real* packed, std::int64_t part, std::int64_t parts, Real* y) const {
    const LaneKernels<Real>& kernels = isa<Real>().lanes;
    const std::int64_t pairs = ceilDivide(lanes.in.vectors(), 2), W = kernels.width;
    const Split blocks(steps_, panelBytes / static_cast<std::int64_t>(sizeof(Real)) / tiles.columns);
    Real* panel = scratch<Real>(Scratch::columns, blocks.size(0) * tiles.columns);
    for (std::int64_t pair = pairs * part / parts; pair < pairs * (part + 1) / parts; pair++) {
      const std::int64_t v = 2 * pair;
      const bool two = v + 1 < lanes.in.vectors(), straight = lanes.out.straight(v, two);
      const std::int64_t width = two ? 2 * W : W;
      const std::int32_t* offsets = lanes.out.offset.data() + lanes.out.first[v];
      for (std::int64_t block = 0; block < blocks.count; block++) {
        const std::int64_t k = blocks.at(block), kk = blocks.size(block), unfolded = std::min(kk, view_.columns() - k);
        for (std::int64_t h = 0; h < width / W; h++) kernels.pack(lanes.in, v + h, x, taps_.data() + k, unfolded, panel + h * W, width);
        if (unfolded < kk) std::fill_n(panel + unfolded * width, width, Real(1));
        const bool add = spec_.accumulate || block > 0;
        for (std::int64_t i = 0; i < rows.count; i++) {
          const std::int64_t m = rows.size(i);
          const Tile<Real> tile = (two ? tiles.wide : tiles.narrow)[m];
          const Real* a = packed + rows.at(i) * steps_ + k * m;
          Real* to = y + rows.at(i) * T_;
          if (straight) {
            tile(kk, a, m, panel, width, to + offsets[0], T_, add);
            continue;
          }
          alignas(64) Real product[Tiles<Real>::mostRows * Tiles<Real>::mostColumns];
          tile(kk, a, m, panel, width, product, width, false);
          for (std::int64_t h = 0; h < width / W; h++) kernels.store(lanes.out, v + h, product + h * W, width, static_cast<int>(m), to, T_, add);
        }
      }
    }
  }

  const MatrixView view_;
  const Frame frame_;
  std::int64_t T_, steps_, frameSize_;
  Split runs_;
  /// Of step (c, k): its offset in a frame.
  std::vector<std::int32_t> taps_;
  /// Of runs of runs_.base images, and of one more where there are such.
  std::vector<RunLanes> lanes_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> makeCorrelation(const Convolution& spec) { return std::make_unique<Correlation<Real>>(spec); }
template std::unique_ptr<Call> makeCorrelation<float>(const Convolution&);
template std::unique_ptr<Call> makeCorrelation<double>(const Convolution&);

}  // namespace gradpack
