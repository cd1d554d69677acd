#include "strided-copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <type_traits>

#include "../isa/isa.h"
#include "../threads/grain.h"
#include "short-row.h"

namespace gradpack {
namespace {

/// Elements of a plate, and rows of one that is transposed: a few cache lines of each column, so that x's lines are used up.
constexpr std::int64_t mostOfPlate = 16384, mostTransposed = 64;
/// Beyond this length memcpy is faster.
constexpr std::int64_t mostShort = 128;

template <class T, bool accumulate> inline void put(T& y, T x) { y = accumulate ? static_cast<T>(y + x) : x; }

}  // namespace

template <class T>
StridedCopy<T>::StridedCopy(const Shape& shape, const Strides& from, const Strides& to, bool accumulate) : accumulate_(accumulate), size_(sizeOf(shape)) {
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::abs(to[a]) > std::abs(to[b]); });
  plates_.strides.resize(2);
  for (const std::size_t axis : order) {
    plates_.shape.push_back(shape[axis]);
    plates_.strides[0].push_back(from[axis]);
    plates_.strides[1].push_back(to[axis]);
  }
  plates_.merge();
  column_ = take(plates_.axes() - 1);
  const Strides& x = plates_.strides[0];
  const auto contiguous = std::find(x.begin(), x.end(), 1);
  transposed_ = column_.x != 1 && column_.x != 0 && contiguous != x.end();
  if (transposed_) row_ = take(static_cast<int>(contiguous - x.begin()));
  else if (plates_.axes() > 0) row_ = take(plates_.axes() - 1);

  cut_ = std::min(column_.extent, mostOfPlate);
  band_ = std::min(row_.extent, transposed_ ? mostTransposed : std::max<std::int64_t>(1, mostOfPlate / cut_));
  plates_.shape.insert(plates_.shape.end(), {(row_.extent + band_ - 1) / band_, (column_.extent + cut_ - 1) / cut_});
  plates_.strides[0].insert(plates_.strides[0].end(), {row_.x * band_, column_.x * cut_});
  plates_.strides[1].insert(plates_.strides[1].end(), {row_.y * band_, column_.y * cut_});
}

template <class T> typename StridedCopy<T>::Axis StridedCopy<T>::take(int axis) {
  const Axis taken{plates_.shape[static_cast<std::size_t>(axis)], plates_.strides[0][static_cast<std::size_t>(axis)], plates_.strides[1][static_cast<std::size_t>(axis)]};
  plates_.shape.erase(plates_.shape.begin() + axis);
  for (Strides& strides : plates_.strides) strides.erase(strides.begin() + axis);
  return taken;
}

template <class T> template <bool accumulate> void StridedCopy<T>::copyPlate(const T* x, T* y, std::int64_t rows, std::int64_t n) const {
  const std::ptrdiff_t rowX = row_.x, rowY = row_.y, stepX = column_.x, stepY = column_.y;
  if (transposed_ && !accumulate && stepY == 1) {
    // transposing moves bits, whatever they mean
    using Real = std::conditional_t<sizeof(T) == 8, double, float>;
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const std::int64_t side = tiles.columns / 2;
    for (std::int64_t i = 0; i < n; i += side)
      tiles.transpose(reinterpret_cast<const Real*>(x + i * stepX), stepX, static_cast<int>(std::min(side, n - i)), rows, reinterpret_cast<Real*>(y + i), rowY);
    return;
  }
  if (transposed_) {
    constexpr std::int64_t side = 16;
    for (std::int64_t r0 = 0; r0 < rows; r0 += side)
      for (std::int64_t i0 = 0; i0 < n; i0 += side)
        for (std::int64_t r = r0; r < std::min(rows, r0 + side); r++)
          for (std::int64_t i = i0; i < std::min(n, i0 + side); i++) put<T, accumulate>(y[r * rowY + i * stepY], x[r + i * stepX]);
    return;
  }
  if constexpr (!accumulate && !std::is_same_v<T, std::int32_t>)
    if (stepX == 1 && stepY == 1 && n <= mostShort) return isa<T>().elementwise.copyRows(x, rowX, y, rowY, rows, n);
  for (std::int64_t r = 0; r < rows; r++, x += rowX, y += rowY) {
    if (stepY != 1 || (stepX != 1 && stepX != 0))
      for (std::int64_t i = 0; i < n; i++) put<T, accumulate>(y[i * stepY], x[i * stepX]);
    else if (accumulate) {
      const T* from = x;
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; i++) put<T, true>(y[i], from[i * stepX]);
    } else if (stepX == 0) std::fill_n(y, n, *x);
    else if (n > mostShort) std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(T));
    else copyShort(x, y, n);
  }
}

template <class T> template <bool accumulate> void StridedCopy<T>::walk(const Run& run, const T* x, T* y) const {
  const int bands = plates_.axes() - 2, cuts = bands + 1;
  // from memory about 20 GB/s, and a few nanoseconds to step from plate to plate
  const double nanoseconds = 5 + 0.1 * sizeof(T) * static_cast<double>(band_ * cut_);
  run.parallelRanges(sizeOf(plates_.shape), grainOf(nanoseconds), [&](std::int64_t first, std::int64_t end) {
    Cursor from(plates_.shape, plates_.strides[0], first), to(plates_.shape, plates_.strides[1], first);
    for (std::int64_t plate = first; plate < end; plate++, from.next(), to.next())
      copyPlate<accumulate>(x + from.offset(), y + to.offset(), std::min(band_, row_.extent - from[bands] * band_), std::min(cut_, column_.extent - from[cuts] * cut_));
  });
}

template <class T> void StridedCopy<T>::run(const Run& run, const T* x, T* y) const {
  if (accumulate_) walk<true>(run, x, y);
  else walk<false>(run, x, y);
}

template class StridedCopy<float>;
template class StridedCopy<double>;
template class StridedCopy<std::int32_t>;

}  // namespace gradpack
