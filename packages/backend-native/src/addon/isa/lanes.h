// Columns of an unfolded image as vectors. The columns of one vector lie in a few runs of a frame (window/frame.h), so a vector is
// loaded as the union of as many masked loads; offsets and masks are tabled once per geometry.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradpack {

/// Columns cut into vectors of up to `width` lanes.
struct Lanes {
  int width;
  std::ptrdiff_t columns;
  /// Of vector v: pieces [first[v], first[v + 1]). Lane 0 of a piece would lie at `offset`; `mask` has a bit for each lane that it brings.
  std::vector<std::int32_t> first, offset;
  std::vector<std::uint32_t> mask;

  /// `positions`: where each column lies in the frame(s). Vector v begins with column v·width.
  Lanes(int width, const std::vector<std::int32_t>& positions);
  /// Vectors of at most `most` <= width columns whose numbers differ by at most one (as Split's parts).
  static Lanes evenly(int width, const std::vector<std::int32_t>& positions, std::ptrdiff_t most);
  std::ptrdiff_t vectors() const { return static_cast<std::ptrdiff_t>(first.size()) - 1; }
  /// Whether vectors v and v + 1 (or v alone) are full and lie without a gap.
  bool straight(std::ptrdiff_t v, bool two) const;

 private:
  Lanes(int width, std::ptrdiff_t columns) : width(width), columns(columns), first{0} {}
  void append(const std::int32_t* positions, std::ptrdiff_t lanes);
};

/// What packs panels (gemm/pack.h) from frames, of one instruction set.
template <class Real> struct LaneKernels {
  /// Lanes of a vector: half a tile's columns.
  int width;
  /// For q < k: d[q·ld …] = the columns of vector v of x + rows[q], 0 beyond the last column.
  void (*pack)(const Lanes& lanes, std::ptrdiff_t v, const Real* x, const std::int32_t* rows, std::ptrdiff_t k, Real* d, std::ptrdiff_t ld);
  /// Its transpose: for each column c of vector v d[(c − first column)·ld + r] = x[rows[r] + position of c], r < m <= width, 0 for m <= r < width.
  void (*packTransposed)(const Lanes& lanes, std::ptrdiff_t v, const Real* x, const std::int32_t* rows, int m, Real* d, std::ptrdiff_t ld);
  /// For r < m: the columns of vector v of y + r·ly (+)= s[r·ls …]. Never touches what is no column.
  void (*store)(const Lanes& lanes, std::ptrdiff_t v, const Real* s, std::ptrdiff_t ls, int m, Real* y, std::ptrdiff_t ly, bool add);
  /// All columns of y += s, whose vectors follow each other.
  void (*fold)(const Lanes& lanes, const Real* s, Real* y);
};

}  // namespace gradpack
