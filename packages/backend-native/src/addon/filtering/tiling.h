// Images cut into tiles for minimal filtering (isa/winograd.h): along each of two axes a tile has 6 neighbours of the input and
// 7 − k positions of the output of a kernel of k offsets.
#pragma once
#include "../gemm/split.h"
#include "../isa/isa.h"
#include "../window/frame.h"

namespace gradpack {

/// Of a tile.
constexpr int tilePoints = winogradPoints * winogradPoints;

/// Whether a window has two axes that can be filtered: zeros outside, no stride, no dilation, and a kernel of 2 to 5 offsets.
bool isFilterable(const Window& window);

/// The tiles of outputs `to`, each of which reads its kernel's offsets from itself − `low` on.
struct Tiling {
  Tiling(const Shape& kernel, const Shape& to);
  std::int64_t count() const { return sizeOf(tiles); }
  /// Outputs of a tile, and how many tiles there are.
  Shape tile, tiles;
};

/// Numbers between points of `size` each: multiples of a page would meet in one set of the cache.
template <class Real> std::int64_t pointsApart(std::int64_t size) { return size + 64 / static_cast<std::int64_t>(sizeof(Real)); }

/// What transforms patches of images to points, channels last.
template <class Real> class TilePoints {
 public:
  /// Patches of `extent` positions, a tile apart, of `image` with `low` zeros before it; `passes` by axis.
  TilePoints(const Tiling& tiling, const Shape& image, const Shape& low, const Shape& extent, const WinogradPass<Real> (&passes)[2]);

  /// to[point·apart + t·ld + c] of x [channels, positions], whose channels lie `stride` apart. Writes whole vectors of channels.
  void transform(const Real* x, std::ptrdiff_t stride, std::int64_t channels, Real* to, std::ptrdiff_t ld, std::ptrdiff_t apart) const;

 private:
  Tiling tiling_;
  Shape extent_, padded_;
  Frame frame_;
  WinogradPass<Real> passes_[2];
};

}  // namespace gradpack
