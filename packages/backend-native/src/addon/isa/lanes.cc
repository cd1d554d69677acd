#include "lanes.h"

namespace gradpack {

Lanes::Lanes(int width, const std::vector<std::int32_t>& positions) : width(width), columns(static_cast<std::ptrdiff_t>(positions.size())) {
  for (std::ptrdiff_t v = 0; v < columns; v += width) {
    first.push_back(static_cast<std::int32_t>(offset.size()));
    const std::int32_t lanes = static_cast<std::int32_t>(columns - v < width ? columns - v : width), *at = positions.data() + v;
    for (std::int32_t from = 0, to; from < lanes; from = to) {
      for (to = from + 1; to < lanes && at[to] == at[from] + to - from; to++) continue;
      offset.push_back(at[from] - from);
      mask.push_back((1u << to) - (1u << from));
    }
  }
  first.push_back(static_cast<std::int32_t>(offset.size()));
}

}  // namespace gradpack
