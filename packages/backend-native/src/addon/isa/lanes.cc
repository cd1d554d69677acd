#include "lanes.h"

#include "../gemm/split.h"

namespace gradpack {

Lanes::Lanes(int width, const std::vector<std::int32_t>& positions) : Lanes(width, static_cast<std::ptrdiff_t>(positions.size())) {
  for (std::ptrdiff_t c = 0; c < columns; c += width) append(positions.data() + c, std::min<std::ptrdiff_t>(width, columns - c));
}

Lanes Lanes::evenly(int width, const std::vector<std::int32_t>& positions, std::ptrdiff_t most) {
  Lanes lanes(width, static_cast<std::ptrdiff_t>(positions.size()));
  const Split parts(lanes.columns, most);
  for (std::ptrdiff_t v = 0; v < parts.count; v++) lanes.append(positions.data() + parts.at(v), parts.size(v));
  return lanes;
}

void Lanes::append(const std::int32_t* positions, std::ptrdiff_t lanes) {
  for (std::int32_t from = 0, to; from < lanes; from = to) {
    for (to = from + 1; to < lanes && positions[to] == positions[from] + to - from; to++) continue;
    offset.push_back(positions[from] - from);
    mask.push_back((1u << to) - (1u << from));
  }
  first.push_back(static_cast<std::int32_t>(offset.size()));
}

bool Lanes::straight(std::ptrdiff_t v, bool two) const {
  const auto whole = [&](std::ptrdiff_t u) { return mask[static_cast<std::size_t>(first[static_cast<std::size_t>(u)])] == (1u << width) - 1; };
  const auto begin = [&](std::ptrdiff_t u) { return offset[static_cast<std::size_t>(first[static_cast<std::size_t>(u)])]; };
  return whole(v) && (!two || (whole(v + 1) && begin(v + 1) == begin(v) + width));
}

}  // namespace gradpack
