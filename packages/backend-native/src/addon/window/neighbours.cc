#include "neighbours.h"

#include <algorithm>
#include <limits>
#include <utility>

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
  std::vector<std::int32_t> first(1), entry;
  for (std::size_t t = 0; t < T; t++) {
    for (std::size_t k = 0; k < K; k++)
      if (table[k * T + t] >= 0) entry.push_back(table[k * T + t]);
    first.push_back(static_cast<std::int32_t>(entry.size()));
  }
  return Neighbours(std::move(first), std::move(entry));
}

Neighbours Neighbours::ofInputs(const Window& window) {
  const std::vector<std::int32_t> table = window.table();
  const std::size_t K = static_cast<std::size_t>(window.offsets()), T = static_cast<std::size_t>(window.outputs());
  std::vector<std::int32_t> first(static_cast<std::size_t>(window.inputs()) + 1);
  for (const std::int32_t position : table)
    if (position >= 0) first[static_cast<std::size_t>(position) + 1]++;
  for (std::size_t i = 1; i < first.size(); i++) first[i] += first[i - 1];
  std::vector<std::int32_t> entry(static_cast<std::size_t>(first.back())), next(first.begin(), first.end() - 1);
  for (std::size_t t = 0; t < T; t++)
    for (std::size_t k = 0; k < K; k++)
      if (const std::int32_t position = table[k * T + t]; position >= 0) entry[static_cast<std::size_t>(next[static_cast<std::size_t>(position)]++)] = static_cast<std::int32_t>(t);
  return Neighbours(std::move(first), std::move(entry));
}

Neighbours::Neighbours(std::vector<std::int32_t> first, std::vector<std::int32_t> entry) : first_(std::move(first)), entry_(std::move(entry)) {
  Range range;
  for (std::int32_t i = 0; i + 1 < static_cast<std::int32_t>(first_.size()); i++) {
    Range own;
    for (std::int32_t at = first_[static_cast<std::size_t>(i)]; at < first_[static_cast<std::size_t>(i) + 1]; at++) own.join({entry_[static_cast<std::size_t>(at)], entry_[static_cast<std::size_t>(at)] + 1});
    range.join(own);
    if (pieces_.empty() || (range.span() > mostSpan && pieces_.back().span > 0)) {
      range = own;
      pieces_.push_back({i, i, 0, 0});
    }
    pieces_.back() = {pieces_.back().from, i + 1, range.span() > 0 ? range.low : 0, range.span()};
  }
  for (const Piece& piece : pieces_) {
    mostResults_ = std::max<std::int64_t>(mostResults_, piece.to - piece.from);
    mostEntries_ = std::max<std::int64_t>(mostEntries_, piece.span);
    for (std::int32_t at = first_[static_cast<std::size_t>(piece.from)]; at < first_[static_cast<std::size_t>(piece.to)]; at++) entry_[static_cast<std::size_t>(at)] -= piece.low;
  }
}

}  // namespace gradpack
