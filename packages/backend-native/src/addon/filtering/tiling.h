// Images cut into tiles for minimal filtering (isa/winograd.h): along each of two axes a tile has 6 neighbours of the input and
// 7 − k positions of the output of a kernel of k offsets.
#pragma once
#include "../gemm/split.h"
#include "../isa/isa.h"
#include "../window/window.h"

namespace gradpack {

/// Of a tile.
constexpr int tilePoints = winogradPoints * winogradPoints;

/// Whether a window has two axes that can be filtered: zeros outside, no stride, no dilation, and a kernel of 2 to 5 offsets.
bool isFilterable(const Window& window);

/// The tiles of an image of outputs.
struct Tiling {
  Tiling(const Shape& kernel, const Shape& outputs);
  std::int64_t count() const { return sizeOf(tiles); }
  /// Outputs of a tile, and how many tiles there are.
  Shape tile, tiles;
};

/// Numbers between points of `size` each: multiples of a page would meet in one set of the cache.
template <class Real> std::int64_t pointsApart(std::int64_t size) { return size + 64 / static_cast<std::int64_t>(sizeof(Real)); }

/// A patch [rows, columns] of vectors of W numbers through a pass along each axis: `first` along its rows, of which it makes `rows`, then `second`
/// along its `columns`. Row i and column j of what is read lie at from + i·fromRow + j·fromColumn, likewise of what is written.
template <class Real>
void passBothAxes(std::int64_t W, WinogradPass<Real> first, WinogradPass<Real> second, std::int64_t columns, std::int64_t rows, const Real* from, std::ptrdiff_t fromRow, std::ptrdiff_t fromColumn, Real* to, std::ptrdiff_t toRow,
                  std::ptrdiff_t toColumn) {
  alignas(64) Real half[tilePoints * Tiles<Real>::mostColumns / 2];
  first(from, fromColumn, fromRow, half, W, columns * W, columns);
  second(half, columns * W, W, to, toRow, toColumn, rows);
}

/// What brings patches of images to points, vectors of channels at a time.
template <class Real> class TilePoints {
 public:
  /// Patches of `extent` positions, a tile apart, of `image` with `low` zeros before it; `passes` by axis.
  TilePoints(const Tiling& tiling, const Shape& image, const Shape& low, const Shape& extent, const WinogradPass<Real> (&passes)[2]) : tiling_(tiling), image_(image), low_(low), extent_(extent), passes_{passes[0], passes[1]} {}

  /// Rows [row, row + rows) of tiles of x [channels, positions], whose channels lie `stride` apart. Point p of channels c … of tile t
  /// (counted from the first of `row`) goes to to[p·apart + place(t, c)], for every `width`th c: always a whole vector, whose lanes beyond the channels hold anything.
  template <class Place> void transform(const Real* x, std::ptrdiff_t stride, std::int64_t channels, std::int64_t row, std::int64_t rows, Real* to, std::ptrdiff_t apart, const Place& place) const {
    constexpr int n = winogradPoints;
    const std::int64_t W = isa<Real>().winograd.width, across = (tiling_.tiles[1] - 1) * tiling_.tile[1] + extent_[1];
    const Real* frame = lay(x, stride, channels, row * tiling_.tile[0], (rows - 1) * tiling_.tile[0] + extent_[0], across);
    for (std::int64_t i = 0; i < rows; i++)
      for (std::int64_t j = 0; j < tiling_.tiles[1]; j++)
        for (std::int64_t c = 0; c < channels; c += W)
          passBothAxes(W, passes_[0], passes_[1], extent_[1], n, frame + (i * tiling_.tile[0] * across + j * tiling_.tile[1]) * channels + c, across * channels, channels,
                       to + place(i * tiling_.tiles[1] + j, c), n * apart, apart);
  }

 private:
  /// Rows [row, row + rows) of the padded image in scratch, channels last; a vector may be read from any position.
  const Real* lay(const Real* x, std::ptrdiff_t stride, std::int64_t channels, std::int64_t row, std::int64_t rows, std::int64_t across) const;

  Tiling tiling_;
  Shape image_, low_, extent_;
  WinogradPass<Real> passes_[2];
};

}  // namespace gradpack
