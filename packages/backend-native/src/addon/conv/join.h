// Images joined into one run of columns, where each has few positions.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "../failure.h"
#include "../gemm/split.h"

namespace gradpack {

/// Offsets in frames are 32-bit numbers.
constexpr std::int64_t mostOffset = std::numeric_limits<std::int32_t>::max();

/// `images` in runs of at least `enough` positions each, whose offsets, `apart` for each image, are in range.
inline Split joinImages(std::int64_t images, std::int64_t positions, std::int64_t enough, std::int64_t apart) {
  if (apart > mostOffset) failInternal("an image of it has too many positions");
  return {images, std::min<std::int64_t>({images, ceilDivide(enough, positions), mostOffset / apart})};
}

/// Where the columns of `images` images lie: `columns` in each, and the images `apart`.
inline std::vector<std::int32_t> joinedPositions(const std::vector<std::int32_t>& columns, std::int64_t images, std::int64_t apart) {
  std::vector<std::int32_t> positions;
  for (std::int64_t image = 0; image < images; image++)
    for (const std::int32_t column : columns) positions.push_back(static_cast<std::int32_t>(image * apart) + column);
  return positions;
}

/// 0 … count − 1
inline std::vector<std::int32_t> inOrder(std::int64_t count) {
  std::vector<std::int32_t> positions;
  for (std::int64_t t = 0; t < count; t++) positions.push_back(static_cast<std::int32_t>(t));
  return positions;
}

}  // namespace gradpack
