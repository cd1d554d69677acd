// Two axes of minimal filtering: tiles of outputs, and for each of 36 points one product of matrices, rows output channels, columns
// tiles, steps input channels. Tiles are laid out as columns of a window of 6 × 6 positions with the tiles' distance as stride, so
// that a vector holds one position of neighbouring tiles. The adjoint is the same with the kernel turned around and its matrices
// transposed.
#include "../filtering/tiling.h"
#include "../gemm/pack.h"
#include "../isa/isa.h"
#include "../memory/scratch.h"
#include "join.h"
#include "methods.h"

namespace gradpack {
namespace {

/// Columns of a run from which joining images gains nothing.
constexpr std::int64_t enoughColumns = 128;
/// Bytes of inputs and products at all points that stay near.
constexpr std::int64_t blockBytes = 1 << 20;

/// The convolution as tiles see it: forward, whichever way it goes.
struct Geometry {
  explicit Geometry(const Convolution& spec) : from(spec.adjoint ? spec.window.output() : spec.window.input()), to(spec.adjoint ? spec.window.input() : spec.window.output()), low(spec.window.low()), tiling(spec.window.kernel(), to) {
    for (std::size_t axis = 0; axis < low.size() && spec.adjoint; axis++) low[axis] = spec.window.kernel()[axis] - 1 - low[axis];
  }
  /// What tiles read, as the columns of a window.
  Window window() const { return {from, Shape(to.size(), winogradPoints), tiling.tiles, tiling.tile, low}; }

  Shape from, to, low;
  Tiling tiling;
};

template <class Real> class Winograd final : public ConvolutionCall<Real> {
  using Base = ConvolutionCall<Real>;
  using Base::spec_;

 public:
  explicit Winograd(const Convolution& spec)
      : Base(spec), geometry_(spec), tiling_(geometry_.tiling), view_(spec.adjoint ? spec.view.mirrored() : spec.view), frame_(geometry_.window()), T_(frame_.outputs), frameSize_(view_.C * frame_.size),
        runs_(joinImages(spec.images, T_, enoughColumns, std::max(frameSize_, Base::toSize()))) {
    for (std::int64_t i = 0; i < tiling_.tiles[0]; i++)
      for (std::int64_t j = 0; j < tiling_.tiles[1]; j++) {
        const std::int64_t row = i * tiling_.tile[0], column = j * tiling_.tile[1];
        places_.push_back({row * geometry_.to[1] + column, std::min(tiling_.tile[0], geometry_.to[0] - row), std::min(tiling_.tile[1], geometry_.to[1] - column)});
      }
    for (std::int64_t images = runs_.base; images <= runs_.size(0); images++) lanes_.emplace_back(isa<Real>().lanes.width, joinedPositions(frame_.columns, images, frameSize_));
  }

  void run(const Run& run) const override {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const Split rows(view_.O, std::min<std::int64_t>(tiles.rows, isa<Real>().lanes.width));
    const std::int64_t each = tilePoints * pointsApart<Real>(view_.O * view_.C);
    Real* weights = scratch<Real>(Scratch::sharedRows, Base::weights() * view_.G * each);
    run.parallel(Base::weights() * view_.G * rows.count, [&](std::int64_t i) {
      const std::int64_t tile = i % rows.count, g = i / rows.count % view_.G, w = i / rows.count / view_.G;
      transformWeights(tiles, Base::weight(run, w, g), rows.at(tile), rows.size(tile), weights + (w * view_.G + g) * each);
    });

    const std::int64_t parts = cuts(run.threads), count = spec_.stacks * runs_.count * view_.G * parts;
    // an image in several tasks is laid out once for all
    Real* frames = parts == 1 ? nullptr : scratch<Real>(Scratch::sharedColumns, spec_.stacks * spec_.images * view_.G * frameSize_);
    if (frames != nullptr) run.parallel(spec_.stacks * spec_.images * view_.G, [&](std::int64_t i) {
        const std::int64_t g = i % view_.G, image = i / view_.G % spec_.images, stack = i / view_.G / spec_.images;
        frame_.lay(Base::from(run, stack, image) + g * view_.C * frame_.inputs, frame_.inputs, view_.C, frames + ((stack * view_.G + g) * spec_.images + image) * frameSize_);
      });
    run.parallel(count, [&](std::int64_t task) {
      const std::int64_t part = task % parts, g = task / parts % view_.G, group = task / parts / view_.G % runs_.count, stack = task / parts / view_.G / runs_.count;
      const std::int64_t images = runs_.size(group), n = runs_.at(group);
      const Real* x = frames != nullptr ? frames + ((stack * view_.G + g) * spec_.images + n) * frameSize_ : framesOf(run, stack, n, images, g);
      const Real* bias = spec_.biased ? run.read<Real>(spec_.bias) + g * view_.O : nullptr;
      const Lanes& lanes = lanes_[images - runs_.base];
      const std::int64_t pairs = ceilDivide(lanes.vectors(), 2), most = pairsOfBlock();
      for (std::int64_t pair = pairs * part / parts, end = pairs * (part + 1) / parts; pair < end; pair += most)
        filter(tiles, rows, lanes, pair, std::min(most, end - pair), x, weights + (Base::weightOf(stack) * view_.G + g) * each, bias, Base::to(run, stack, n) + g * view_.O * toPositions());
    });
  }

 private:
  /// A tile in its image: where its first output lies, and how many rows and columns of it there are.
  struct TilePlace {
    std::int64_t at, rows, columns;
  };

  std::int64_t toPositions() const { return Base::spec_.toPositions(); }
  std::int64_t pairsOfBlock() const {
    const std::int64_t pair = tilePoints * (view_.C + view_.O) * 2 * isa<Real>().lanes.width * static_cast<std::int64_t>(sizeof(Real));
    return std::max<std::int64_t>(1, blockBytes / pair);
  }

  /// Parts of one run's columns, where runs alone are too few for the threads.
  std::int64_t cuts(int threads) const {
    const std::int64_t tasks = spec_.stacks * runs_.count * view_.G;
    return threads == 1 || tasks >= 4 * threads ? 1 : std::clamp<std::int64_t>(runs_.base * T_ / (2 * isa<Real>().lanes.width), 1, ceilDivide(4 * threads, tasks));
  }

  /// Rows [row, row + m) as [point][step][m].
  void transformWeights(const Tiles<Real>& tiles, const Real* weight, std::int64_t row, std::int64_t m, Real* to) const {
    const WinogradKernels<Real>& kernels = isa<Real>().winograd;
    constexpr std::int64_t most = longestWinograd * longestWinograd, widest = Tiles<Real>::mostColumns / 2;
    alignas(64) Real packed[most * widest] = {}, half[longestWinograd * winogradPoints * widest], last[tilePoints * widest];
    const std::int64_t between = pointsApart<Real>(view_.O * view_.C), height = spec_.window.kernel()[0], width = spec_.window.kernel()[1], W = kernels.width, turn = spec_.adjoint ? -1 : 1;
    const Real* first = packed + (spec_.adjoint ? (view_.K - 1) * W : 0);
    for (std::int64_t c = 0; c < view_.C; c++) {
      packSteps<Real>(tiles, {weight + row * view_.o + c * view_.c, view_.o, view_.k}, m, view_.K, packed, W);
      kernels.weight[height](first, turn * W, turn * width * W, half, W, width * W, width);
      Real* d = to + row * view_.C + c * m;
      // what a whole vector writes beyond its step, the next one overwrites
      if (c + 1 < view_.C) {
        kernels.weight[width](half, width * W, W, d, winogradPoints * between, between, winogradPoints);
        continue;
      }
      kernels.weight[width](half, width * W, W, last, winogradPoints * W, W, winogradPoints);
      for (int point = 0; point < tilePoints; point++, d += between) std::copy_n(last + point * W, m, d);
    }
  }

  /// The frames of images [n, n + images) in scratch.
  const Real* framesOf(const Run& run, std::int64_t stack, std::int64_t n, std::int64_t images, std::int64_t g) const {
    Real* frames = scratch<Real>(Scratch::frame, images * frameSize_);
    for (std::int64_t image = 0; image < images; image++) frame_.lay(Base::from(run, stack, n + image) + g * view_.C * frame_.inputs, frame_.inputs, view_.C, frames + image * frameSize_);
    return frames;
  }

  /// The tiles of vectors [2·pair, 2·(pair + pairs)).
  void filter(const Tiles<Real>& tiles, const Split& rows, const Lanes& lanes, std::int64_t pair, std::int64_t pairs, const Real* x, const Real* weights, const Real* bias, Real* y) const {
    const std::int64_t W = lanes.width, C = view_.C, O = view_.O, inputs = pointsApart<Real>(pairs * C * 2 * W), products = pointsApart<Real>(pairs * O * 2 * W);
    const std::int64_t vectors = std::min<std::int64_t>(2 * pairs, lanes.vectors() - 2 * pair);
    Real *input = scratch<Real>(Scratch::columns, tilePoints * inputs), *product = scratch<Real>(Scratch::product, tilePoints * products);
    for (std::int64_t c = 0; c < C; c++)
      for (std::int64_t v = 0; v < vectors; v++) transformInput(lanes, 2 * pair + v, x + c * frame_.size, input + (v / 2 * C + c) * 2 * W + v % 2 * W, inputs);
    for (int point = 0; point < tilePoints; point++, weights += pointsApart<Real>(O * C))
      for (std::int64_t p = 0; p < pairs; p++) {
        const Tile<Real>* tile = 2 * p + 1 < vectors ? tiles.wide : tiles.narrow;
        const Real* b = input + point * inputs + p * C * 2 * W;
        for (std::int64_t i = 0; i < rows.count; i++)
          tile[rows.size(i)](C, weights + rows.at(i) * C, rows.size(i), b, 2 * W, product + point * products + (p * O + rows.at(i)) * 2 * W, 2 * W, false);
      }
    for (std::int64_t o = 0; o < O; o++)
      for (std::int64_t v = 0; v < vectors; v++)
        transformOutput(tiles, product + (v / 2 * O + o) * 2 * W + v % 2 * W, products, (2 * pair + v) * W, std::min(W, static_cast<std::int64_t>(lanes.columns) - (2 * pair + v) * W), bias == nullptr ? Real(0) : bias[o],
                        y + o * toPositions());
  }

  void transformInput(const Lanes& lanes, std::int64_t v, const Real* x, Real* to, std::int64_t apart) const {
    const WinogradKernels<Real>& kernels = isa<Real>().winograd;
    constexpr std::int64_t widest = Tiles<Real>::mostColumns / 2;
    alignas(64) Real packed[tilePoints * widest], half[tilePoints * widest];
    const std::int64_t W = kernels.width;
    isa<Real>().lanes.pack(lanes, v, x, frame_.taps.data(), tilePoints, packed, W);
    kernels.input(packed, W, winogradPoints * W, half, W, winogradPoints * W, winogradPoints);
    kernels.input(half, winogradPoints * W, W, to, winogradPoints * apart, apart, winogradPoints);
  }

  /// Tiles [t, t + count) of a run.
  void transformOutput(const Tiles<Real>& tiles, const Real* from, std::int64_t apart, std::int64_t t, std::int64_t count, Real bias, Real* y) const {
    const WinogradKernels<Real>& kernels = isa<Real>().winograd;
    constexpr std::int64_t longest = winogradPoints + 1 - shortestWinograd, widest = Tiles<Real>::mostColumns / 2;
    alignas(64) Real half[longest * winogradPoints * widest], whole[longest * longest * widest], turned[longest * longest * widest];
    const std::int64_t W = kernels.width, height = tiling_.tile[0], width = tiling_.tile[1], size = height * width;
    kernels.output[spec_.window.kernel()[0]](from, apart, winogradPoints * apart, half, W, winogradPoints * W, winogradPoints);
    kernels.output[spec_.window.kernel()[1]](half, winogradPoints * W, W, whole, width * W, W, height);
    tiles.transpose(whole, W, static_cast<int>(size), count, turned, size);
    Real* image = y + t / T_ * Base::toSize();
    const TilePlace* place = places_.data() + t % T_;
    for (std::int64_t i = 0; i < count; i++) {
      placeTile(*place, turned + i * size, bias, image + place->at);
      if (++place == places_.data() + T_) place = places_.data(), image += Base::toSize();
    }
  }

  void placeTile(const TilePlace& place, const Real* s, Real bias, Real* to) const {
    const std::int64_t width = tiling_.tile[1];
    const auto copy = [&](auto columns) {
      for (std::int64_t row = 0; row < place.rows; row++, s += width, to += geometry_.to[1])
        for (std::int64_t column = 0; column < columns; column++) to[column] = spec_.accumulate ? to[column] + s[column] : s[column] + bias;
    };
    switch (place.columns) {
      case 4: return copy(std::integral_constant<std::int64_t, 4>{});
      case 2: return copy(std::integral_constant<std::int64_t, 2>{});
      default: return copy(place.columns);
    }
  }

  const Geometry geometry_;
  const Tiling& tiling_;
  const MatrixView view_;
  const Frame frame_;
  std::int64_t T_, frameSize_;
  Split runs_;
  /// Of runs of runs_.base images, and of one more where there are such.
  std::vector<Lanes> lanes_;
  std::vector<TilePlace> places_;
};

}  // namespace

bool winogradPays(const Convolution& spec) {
  if (!isFilterable(spec.window)) return false;
  const std::int64_t entries = spec.view.O * spec.view.C, weights = spec.weightPerColumn ? spec.V : 1;
  // in multiplications: a point of a channel of a tile costs as much as 18 to transform, one of a weight as much as 40
  const double direct = static_cast<double>(spec.V * spec.N * spec.toPositions()) * static_cast<double>(spec.view.K * entries);
  const double tiled = tilePoints * (static_cast<double>(spec.V * spec.N * Geometry(spec).tiling.count()) * static_cast<double>(entries + 18 * (spec.view.O + spec.view.C)) + 40.0 * static_cast<double>(weights * entries));
  return tiled < 0.8 * direct;
}

template <class Real> std::unique_ptr<Call> makeWinograd(const Convolution& spec) { return std::make_unique<Winograd<Real>>(spec); }
template std::unique_ptr<Call> makeWinograd<float>(const Convolution&);
template std::unique_ptr<Call> makeWinograd<double>(const Convolution&);

}  // namespace gradpack
