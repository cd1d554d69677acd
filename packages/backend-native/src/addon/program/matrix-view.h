// Where entry (g, o, c, k) of a matrix parameter lies in θ; column i = c·K + k.
#pragma once
#include <utility>

#include "reader.h"

namespace gradpack {

struct MatrixView {
  std::int64_t G, O, C, K, g, o, c, k;

  explicit MatrixView(Reader& words)
      : G(words.extent()), O(words.extent()), C(words.extent()), K(words.extent()), g(words.integer()), o(words.integer()), c(words.integer()), k(words.integer()) {
    sizeOf({G, O, C, K});
  }
  std::int64_t columns() const { return C * K; }
  std::int64_t entries() const { return G * O * C * K; }
  Extent extent() const { return Extent{}.axis(G, g).axis(O, o).axis(C, c).axis(K, k); }
  std::int64_t at(std::int64_t group, std::int64_t row, std::int64_t column) const { return group * g + row * o + column / K * c + column % K * k; }
  /// The view of the transposed matrices: rows c, columns (o, k).
  MatrixView mirrored() const {
    MatrixView other = *this;
    std::swap(other.O, other.C);
    std::swap(other.o, other.c);
    return other;
  }
  /// Whether a row's columns lie at equal distances.
  bool regular() const { return K == 1 || C == 1 || c == K * k; }
  std::int64_t columnStride() const { return K == 1 ? c : k; }
  bool operator==(const MatrixView& other) const {
    return G == other.G && O == other.O && C == other.C && K == other.K && g == other.g && o == other.o && c == other.c && k == other.k;
  }
};

}  // namespace gradpack
