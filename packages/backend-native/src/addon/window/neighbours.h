// For each result the entries that it is made of, as lists: of a window the positions that an output reads, or (the adjoint) the
// outputs that read a position. Results are cut into pieces whose entries lie close together, so that a piece's entries fit a cache.
#pragma once
#include <cstdint>
#include <vector>

#include "window.h"

namespace gradpack {

class Neighbours {
 public:
  /// For each output the positions it reads, kernel offsets in order, without gaps.
  static Neighbours ofOutputs(const Window& window);
  /// For each position the outputs that read it, in order, once for each kernel offset that does.
  static Neighbours ofInputs(const Window& window);

  /// Results [from, to) are made of entries in [low, low + span).
  struct Piece {
    std::int32_t from, to, low, span;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }
  /// The most results and entries of a piece.
  std::int64_t mostResults() const { return mostResults_; }
  std::int64_t mostEntries() const { return mostEntries_; }
  /// Of result i: entry[first[i]] … entry[first[i + 1] − 1], less its piece's `low`.
  const std::int32_t* first() const { return first_.data(); }
  const std::int32_t* entry() const { return entry_.data(); }
  std::int64_t count() const { return static_cast<std::int64_t>(entry_.size()); }

 private:
  /// Both as the accessors say, entries not yet less anything.
  Neighbours(std::vector<std::int32_t> first, std::vector<std::int32_t> entry);
  std::vector<std::int32_t> first_, entry_;
  std::vector<Piece> pieces_;
  std::int64_t mostResults_ = 0, mostEntries_ = 0;
};

}  // namespace gradpack
