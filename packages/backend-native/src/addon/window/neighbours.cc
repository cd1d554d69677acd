#include "neighbours.h"

#include <algorithm>
#include <limits>

namespace gradpack {
namespace {

/// Entries of a piece, unless one result needs more: 64 bytes each for the vectors of isa/planes.h, so 128 KB of a second-level cache.
constexpr std::int32_t mostSpan = 2048;

struct Range {
  std::int32_t low = std::numeric_limits<std::int32_t>::max(), high = 0;
  void join(const Range& other) { low = std::min(low, other.low), high = std::max(high, other.high); }
  std::int32_t span() const { return std::max(0, high - std::min(low, high)); }
};

}  // namespace

Neighbours Neighbours::ofOutputs(const Window& window) {
  const std::vector<std::int32_t> table = window.table();
  const std::size_t K = static_cast<std::size_t>(window.offsets()), T = static_cast<std::size_t>(window.outputs());
  std::vector<std::vector<std::int32_t>> lists(T);
  for (std::size_t t = 0; t < T; t++)
    for (std::size_t k = 0; k < K; k++)
      if (table[k * T + t] >= 0) lists[t].push_back(table[k * T + t]);
  return Neighbours(lists);
}

Neighbours Neighbours::ofInputs(const Window& window) {
  const std::vector<std::int32_t> table = window.table();
  const std::size_t K = static_cast<std::size_t>(window.offsets()), T = static_cast<std::size_t>(window.outputs());
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(window.inputs()));
  for (std::size_t t = 0; t < T; t++)
    for (std::size_t k = 0; k < K; k++)
      if (table[k * T + t] >= 0) lists[static_cast<std::size_t>(table[k * T + t])].push_back(static_cast<std::int32_t>(t));
  return Neighbours(lists);
}

Neighbours::Neighbours(const std::vector<std::vector<std::int32_t>>& lists) {
  Range range;
  for (const std::vector<std::int32_t>& list : lists) {
    const std::int32_t i = static_cast<std::int32_t>(first_.size());
    Range own;
    for (const std::int32_t entry : list) own.join({entry, entry + 1});
    range.join(own);
    if (pieces_.empty() || (range.span() > mostSpan && pieces_.back().span > 0)) {
      range = own;
      pieces_.push_back({i, i, 0, 0});
    }
    pieces_.back() = {pieces_.back().from, i + 1, range.span() > 0 ? range.low : 0, range.span()};
    first_.push_back(static_cast<std::int32_t>(entry_.size()));
    entry_.insert(entry_.end(), list.begin(), list.end());
  }
  first_.push_back(static_cast<std::int32_t>(entry_.size()));
  for (const Piece& piece : pieces_) {
    mostResults_ = std::max<std::int64_t>(mostResults_, piece.to - piece.from);
    mostEntries_ = std::max<std::int64_t>(mostEntries_, piece.span);
    for (std::int32_t at = first_[static_cast<std::size_t>(piece.from)]; at < first_[static_cast<std::size_t>(piece.to)]; at++) entry_[static_cast<std::size_t>(at)] -= piece.low;
  }
}

}  // namespace gradpack
