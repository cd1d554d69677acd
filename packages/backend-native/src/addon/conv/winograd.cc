// Two axes of minimal filtering: for each of 36 points one product of matrices, rows tiles, columns output channels, steps input
// channels. A task takes some rows of tiles from image to image, so that all between stays near. The adjoint is the same with the
// kernel turned around and its matrices transposed.
#include "../filtering/tiling.h"
#include "../gemm/pack.h"
#include "../memory/scratch.h"
#include "methods.h"

namespace gradpack {
namespace {

/// Transformed weights of a call: more would be much memory for one call, as with many weights at once.
constexpr std::int64_t mostWeights = 64 << 20;
/// Row tiles of a task: with fewer the weights are read too often, with more its inputs and products leave L2.
constexpr std::int64_t enoughTiles = 4, leastTiles = 2;

/// The convolution as tiles see it: forward, whichever way it goes.
struct Geometry {
  explicit Geometry(const Convolution& spec) : from(spec.adjoint ? spec.window.output() : spec.window.input()), to(spec.adjoint ? spec.window.input() : spec.window.output()), low(spec.window.low()), tiling(spec.window.kernel(), to) {
    for (std::size_t axis = 0; axis < low.size() && spec.adjoint; axis++) low[axis] = spec.window.kernel()[axis] - 1 - low[axis];
  }

  Shape from, to, low;
  Tiling tiling;
};

template <class Real> class Winograd final : public ConvolutionCall<Real> {
  using Base = ConvolutionCall<Real>;
  using Base::spec_;

 public:
  explicit Winograd(const Convolution& spec)
      : Base(spec), geometry_(spec), view_(spec.adjoint ? spec.view.mirrored() : spec.view), channels_(ceilDivide(view_.O, width()) * width()), steps_(ceilDivide(view_.C, width()) * width()),
        input_(geometry_.tiling, geometry_.from, geometry_.low, {winogradPoints, winogradPoints}, {isa<Real>().winograd.input, isa<Real>().winograd.input}) {}

  void run(const Run& run) const override {
    const Tiling& tiling = geometry_.tiling;
    const std::int64_t each = tilePoints * weightsApart(), vectors = channels_ / width();
    Real* weights = scratch<Real>(Scratch::sharedRows, Base::weights() * view_.G * each);
    run.parallel(Base::weights() * view_.G * vectors, [&](std::int64_t i) {
      const std::int64_t vector = i % vectors, g = i / vectors % view_.G, w = i / vectors / view_.G;
      transformWeights(Base::weight(run, w, g), vector * width(), weights + (w * view_.G + g) * each);
    });

    const std::int64_t rows = spec_.images * tiling.tiles[0], sets = spec_.stacks * view_.G;
    const Split tasks(rows, rowsOfTask(run.threads, rows, sets));
    run.parallel(sets * tasks.count, [&](std::int64_t task) {
      const std::int64_t part = task % tasks.count, g = task / tasks.count % view_.G, stack = task / tasks.count / view_.G;
      filter(run, stack, g, tasks.at(part), tasks.size(part), weights + (Base::weightOf(stack) * view_.G + g) * each);
    });
  }

 private:
  static std::int64_t width() { return isa<Real>().winograd.width; }
  std::int64_t weightsApart() const { return pointsApart<Real>(view_.C * channels_); }

  /// Rows of tiles that make a task, where there are `rows` in each of `sets`.
  std::int64_t rowsOfTask(int threads, std::int64_t rows, std::int64_t sets) const {
    const auto rowsOf = [&](std::int64_t tiles) { return std::max<std::int64_t>(1, tiles * isa<Real>().tiles.rows / geometry_.tiling.tiles[1]); };
    const std::int64_t shared = threads == 1 ? rows : ceilDivide(rows * sets, 4 * threads);
    return std::clamp(shared, rowsOf(leastTiles), rowsOf(enoughTiles));
  }

  /// Output channels [o, o + a vector) as [point][panel][step][channel].
  void transformWeights(const Real* weight, std::int64_t o, Real* to) const {
    const WinogradKernels<Real>& kernels = isa<Real>().winograd;
    const Tiles<Real>& tiles = isa<Real>().tiles;
    alignas(64) Real packed[longestWinograd * longestWinograd * Tiles<Real>::mostColumns / 2] = {};
    const std::int64_t W = width(), m = std::min(W, view_.O - o), height = spec_.window.kernel()[0], across = spec_.window.kernel()[1], apart = weightsApart(), turn = spec_.adjoint ? -1 : 1;
    const std::int64_t panel = o / tiles.columns * tiles.columns, panelColumns = panelWidth(tiles, view_.O - panel);
    const Real* first = packed + (spec_.adjoint ? (view_.K - 1) * W : 0);
    Real* d = to + panel * view_.C + (o - panel);
    for (std::int64_t c = 0; c < view_.C; c++, d += panelColumns) {
      packSteps<Real>(tiles, {weight + o * view_.o + c * view_.c, view_.o, view_.k}, m, view_.K, packed, W);
      passBothAxes(W, kernels.weight[height], kernels.weight[across], across, winogradPoints, first, turn * across * W, turn * W, d, winogradPoints * apart, apart);
    }
  }

  /// Rows [first, first + count) of tiles, counted through the images of a stack.
  void filter(const Run& run, std::int64_t stack, std::int64_t g, std::int64_t first, std::int64_t count, const Real* weights) const {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const std::int64_t across = geometry_.tiling.tiles[1], W = width(), inputs = pointsApart<Real>(count * across * steps_), products = pointsApart<Real>(count * across * channels_);
    const Split blocks(count * across, tiles.rows);
    Real *input = scratch<Real>(Scratch::columns, tilePoints * inputs), *product = scratch<Real>(Scratch::product, tilePoints * products);
    eachImage(first, count, [&](std::int64_t image, std::int64_t row, std::int64_t rows, std::int64_t done) {
      const Real* x = Base::from(run, stack, image) + g * view_.C * spec_.fromPositions();
      input_.transform(x, spec_.fromPositions(), view_.C, row, rows, input, inputs, [&](std::int64_t t, std::int64_t c) {
        // as BlockedTile reads it
        const std::int64_t tile = done * across + t, block = blocks.part(tile);
        return blocks.at(block) * steps_ + c * blocks.size(block) + (tile - blocks.at(block)) * W;
      });
    });
    for (int point = 0; point < tilePoints; point++, weights += weightsApart())
      for (std::int64_t o = 0; o < view_.O; o += tiles.columns) {
        const std::int64_t panel = panelWidth(tiles, view_.O - o);
        const BlockedTile<Real>* tile = panel == tiles.columns ? tiles.wideBlocked : tiles.narrowBlocked;
        for (std::int64_t i = 0; i < blocks.count; i++)
          tile[blocks.size(i)](view_.C, input + point * inputs + blocks.at(i) * steps_, weights + o * view_.C, panel, product + point * products + blocks.at(i) * channels_ + o, channels_);
      }
    eachImage(first, count, [&](std::int64_t image, std::int64_t row, std::int64_t rows, std::int64_t done) {
      Real* y = Base::to(run, stack, image) + g * view_.O * spec_.toPositions();
      for (std::int64_t i = 0; i < rows; i++) place(run, g, product + (done + i) * across * channels_, products, row + i, y);
    });
  }

  /// body(image, first row of tiles, rows, rows before) for each image that has some of the rows [first, first + count).
  template <class F> void eachImage(std::int64_t first, std::int64_t count, const F& body) const {
    const std::int64_t each = geometry_.tiling.tiles[0];
    for (std::int64_t done = 0, rows; done < count; done += rows) {
      const std::int64_t row = (first + done) % each;
      rows = std::min(each - row, count - done);
      body((first + done) / each, row, rows, done);
    }
  }

  /// One row of tiles from its products to y.
  void place(const Run& run, std::int64_t g, const Real* product, std::int64_t apart, std::int64_t row, Real* y) const {
    const WinogradKernels<Real>& kernels = isa<Real>().winograd;
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const Tiling& tiling = geometry_.tiling;
    const std::int64_t W = width(), height = tiling.tile[0], across = tiling.tile[1], line = tiling.tiles[1] * across, plane = spec_.toPositions(), extent = geometry_.to[1];
    const WinogradPass<Real> passes[2] = {kernels.output[spec_.window.kernel()[0]], kernels.output[spec_.window.kernel()[1]]};
    Real* lines = scratch<Real>(Scratch::image, height * line * channels_);
    for (std::int64_t t = 0; t < tiling.tiles[1]; t++)
      for (std::int64_t o = 0; o < channels_; o += W)
        passBothAxes(W, passes[0], passes[1], winogradPoints, height, product + t * channels_ + o, winogradPoints * apart, apart, lines + t * across * channels_ + o, line * channels_, channels_);
    for (std::int64_t i = 0; i < std::min(height, geometry_.to[0] - row * height); i++) {
      Real *from = lines + i * line * channels_, *to = y + (row * height + i) * extent;
      for (std::int64_t p = 0; p < extent && spec_.biased; p++) isa<Real>().elementwise.addScaled(1, run.read<Real>(spec_.bias) + g * view_.O, from + p * channels_, view_.O);
      if (spec_.accumulate) {
        Real* before = scratch<Real>(Scratch::line, extent * view_.O);
        tiles.transpose(to, plane, static_cast<int>(view_.O), extent, before, view_.O);
        for (std::int64_t p = 0; p < extent; p++) isa<Real>().elementwise.addScaled(1, before + p * view_.O, from + p * channels_, view_.O);
      }
      tiles.transpose(from, channels_, static_cast<int>(extent), view_.O, to, plane);
    }
  }

  const Geometry geometry_;
  const MatrixView view_;
  /// Output and input channels in whole vectors.
  const std::int64_t channels_, steps_;
  const TilePoints<Real> input_;
};

}  // namespace

bool winogradPays(const Convolution& spec) {
  if (!isFilterable(spec.window)) return false;
  const std::int64_t entries = spec.view.O * spec.view.C, weights = spec.weightPerColumn ? spec.V : 1;
  if (static_cast<double>(tilePoints * weights) * static_cast<double>(spec.view.G * entries) > static_cast<double>(mostWeights)) return false;
  // in multiplications: a point of a channel of a tile costs as much as 10 to transform, one of a weight as much as 12
  const double direct = static_cast<double>(spec.V * spec.N * spec.toPositions()) * static_cast<double>(spec.view.K * entries);
  const double tiled = tilePoints * (static_cast<double>(spec.V * spec.N * Geometry(spec).tiling.count()) * static_cast<double>(entries + 10 * (spec.view.O + spec.view.C)) + 12.0 * static_cast<double>(weights * entries));
  return tiled < 0.85 * direct;
}

template <class Real> std::unique_ptr<Call> makeWinograd(const Convolution& spec) { return std::make_unique<Winograd<Real>>(spec); }
template std::unique_ptr<Call> makeWinograd<float>(const Convolution&);
template std::unique_ptr<Call> makeWinograd<double>(const Convolution&);

}  // namespace gradpack
