// Rows are positions (n, t), columns input channels, steps output channels. For each kernel offset the product of a tile is *added* into
// a frame with channels last, at the positions which the offset reads; the frame is folded and transposed once at the end. Exact work
// (a full correlation would cost 36 % more on 64→96 k3 of 14²) and no column matrix. Rows of one tile never meet: they belong to one
// kernel offset.
#include "../gemm/pack.h"
#include "../isa/isa.h"
#include "../memory/scratch.h"
#include "../window/frame.h"
#include "join.h"
#include "methods.h"

namespace gradpack {
namespace {

/// Rows of a run from which joining images gains nothing.
constexpr std::int64_t enoughRows = 128;
/// Numbers of packed rows that stay in L2 while all kernel offsets use them.
constexpr std::int64_t packedSize = 1 << 15;

template <class Real> class ShiftAdd final : public ConvolutionCall<Real> {
  using Base = ConvolutionCall<Real>;
  using Base::spec_;

 public:
  explicit ShiftAdd(const Convolution& spec)
      : Base(spec), view_(spec.view), frame_(spec.window), T_(frame_.outputs), width_(isa<Real>().lanes.width), channels_(ceilDivide(view_.C, width_) * width_), frameSize_(frame_.size * channels_),
        runs_(joinImages(spec.images, T_, enoughRows, std::max(frameSize_, Base::fromSize()))) {
    for (std::int64_t images = runs_.base; images <= runs_.size(0); images++) {
      const std::int64_t most = std::min<std::int64_t>(isa<Real>().tiles.rows, width_);
      lanes_.push_back({Split(images * T_, most), Lanes::evenly(width_, joinedPositions(inOrder(T_), images, Base::fromSize()), most), joinedPositions(frame_.columns, images, frame_.size)});
    }
    for (std::int64_t o = 0; o < view_.O; o++) steps_.push_back(static_cast<std::int32_t>(o * T_));
  }

  void run(const Run& run) const override {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const std::int64_t each = view_.K * view_.O * channels_;
    Real* packed = scratch<Real>(Scratch::sharedRows, Base::weights() * view_.G * each);
    const std::int64_t panels = ceilDivide(view_.C, tiles.columns);
    run.parallel(Base::weights() * view_.G * panels, [&](std::int64_t i) {
      const std::int64_t panel = i % panels, g = i / panels % view_.G, w = i / panels / view_.G;
      packWeights(run, tiles, w, g, panel * tiles.columns, packed + (w * view_.G + g) * each);
    });
    // where images are too few for the threads their channels are shared out too
    const std::int64_t tasks = spec_.stacks * runs_.count * view_.G;
    const Split parts(panels, run.threads == 1 ? panels : std::max<std::int64_t>(1, panels * tasks / (4 * run.threads)));
    run.parallel(tasks * parts.count, [&](std::int64_t task) {
      const std::int64_t part = task % parts.count, g = task / parts.count % view_.G, group = task / parts.count / view_.G % runs_.count, stack = task / parts.count / view_.G / runs_.count;
      const std::int64_t c = parts.at(part) * tiles.columns, count = std::min<std::int64_t>(parts.size(part) * tiles.columns, view_.C - c);
      scatter(run, tiles, stack, group, g, c, count, packed + (Base::weightOf(stack) * view_.G + g) * each);
    });
  }

 private:
  struct RunLanes {
    Split rows;
    Lanes from;
    /// Of each row: its position in the frames.
    std::vector<std::int32_t> positions;
  };

  /// For each kernel offset the panels [o][channels]; here the one that begins with channel c.
  void packWeights(const Run& run, const Tiles<Real>& tiles, std::int64_t w, std::int64_t g, std::int64_t c, Real* packed) const {
    const std::int64_t m = std::min<std::int64_t>(tiles.columns, view_.C - c), width = panelWidth(tiles, view_.C - c), perOffset = view_.O * channels_;
    const Real* weight = Base::weight(run, w, g) + c * view_.c;
    Real* d = packed + view_.O * c;
    for (std::int64_t o = 0; o < view_.O; o++, d += width, weight += view_.o) {
      packSteps<Real>(tiles, {weight, view_.c, view_.k}, m, view_.K, d, perOffset);
      for (std::int64_t k = 0; k < view_.K && m < width; k++) std::fill(d + k * perOffset + m, d + k * perOffset + width, Real(0));
    }
  }

  /// Channels [c, c + count) of the run's images.
  void scatter(const Run& run, const Tiles<Real>& tiles, std::int64_t stack, std::int64_t group, std::int64_t g, std::int64_t c, std::int64_t count, const Real* packed) const {
    const LaneKernels<Real>& kernels = isa<Real>().lanes;
    const std::int64_t images = runs_.size(group), n = runs_.at(group), O = view_.O, ld = ceilDivide(count, width_) * width_;
    const RunLanes& lanes = lanes_[images - runs_.base];
    const Real* y = Base::from(run, stack, n) + g * O * T_;
    Real* frames = scratch<Real>(Scratch::frame, images * frame_.size * ld);
    std::fill_n(frames, images * frame_.size * ld, Real(0));

    const Split chunks(lanes.rows.count, std::max<std::int64_t>(1, packedSize / (O * width_)));
    Real* rows = scratch<Real>(Scratch::rows, chunks.size(0) * O * width_);
    std::int32_t* at = scratch<std::int32_t>(Scratch::registers, images * T_);
    for (std::int64_t i = 0; i < images * T_; i++) at[i] = static_cast<std::int32_t>(lanes.positions[i] * ld);
    for (std::int64_t chunk = 0; chunk < chunks.count; chunk++) {
      const std::int64_t first = chunks.at(chunk), tilesHere = chunks.size(chunk);
      for (std::int64_t i = 0; i < tilesHere; i++) kernels.pack(lanes.from, first + i, y, steps_.data(), O, rows + i * O * width_, width_);
      for (std::int64_t k = 0; k < view_.K; k++)
        for (std::int64_t j = 0; j < count; j += tiles.columns) {
          const std::int64_t width = panelWidth(tiles, count - j);
          const Real* panel = packed + k * O * channels_ + O * (c + j);
          Real* frame = frames + frame_.taps[k] * ld + j;
          for (std::int64_t i = 0; i < tilesHere; i++)
            (width == tiles.columns ? tiles.wideScatter : tiles.narrowScatter)[lanes.rows.size(first + i)](O, rows + i * O * width_, width_, panel, width, frame, at + lanes.rows.at(first + i));
        }
    }

    for (std::int64_t image = 0; image < images; image++) {
      Real* x = Base::to(run, stack, n + image) + (g * view_.C + c) * frame_.inputs;
      if (spec_.biased)
        for (std::int64_t i = 0; i < count; i++) std::fill_n(x + i * frame_.inputs, frame_.inputs, run.read<Real>(spec_.bias)[g * view_.C + c + i]);
      frame_.collectChannelsLast(frames + image * frame_.size * ld, ld, count, x, frame_.inputs, spec_.accumulate || spec_.biased);
    }
  }

  const MatrixView view_;
  const Frame frame_;
  std::int64_t T_, width_;
  /// Channels of the frame, whole vectors of them.
  std::int64_t channels_, frameSize_;
  Split runs_;
  /// Of runs of runs_.base images, and of one more where there are such.
  std::vector<RunLanes> lanes_;
  /// Of output channel o: its offset in y.
  std::vector<std::int32_t> steps_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> makeShiftAdd(const Convolution& spec) { return std::make_unique<ShiftAdd<Real>>(spec); }
template std::unique_ptr<Call> makeShiftAdd<float>(const Convolution&);
template std::unique_ptr<Call> makeShiftAdd<double>(const Convolution&);

}  // namespace gradpack
