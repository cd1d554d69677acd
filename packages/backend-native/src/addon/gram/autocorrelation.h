// Σ u uᵀ of an unfolded image without unfolding it. Entry ((i, a), (j, c)) of channels i, j and kernel offsets a, c is a sum of
// x[i, p] x[j, p + shift] over the window of a, where shift is the distance from a to c: many pairs of offsets share a shift and much of
// their windows. The borders of all windows cut the image into parts; each part is one product of channels-last pixels with
// shifted ones, and each window a sum of parts. One of two opposite shifts is enough.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "../program/call.h"
#include "../window/window.h"
#include "symmetric-target.h"

namespace gradpack {

/// The shifts of a window, their parts and their pairs of offsets.
class Autocorrelation {
 public:
  /// A rectangle of pixels (positions of the image before the shift).
  struct Part {
    std::int64_t y0, y1, x0, x1;
    std::int64_t pixels() const { return (y1 - y0) * (x1 - x0); }
  };
  /// Kernel offsets with this shift, and the parts of their window.
  struct Pair {
    std::int64_t from, to;
    std::vector<int> parts;
  };
  struct Shift {
    /// Distance of pixels.
    std::int64_t by;
    std::vector<Part> parts;
    std::vector<Pair> pairs;
  };

  /// None for a window that has no such form: more than two axes, strides, padding other than zeros.
  static std::optional<Autocorrelation> of(const Window& window);

  std::int64_t width, pixels, offsets;
  std::vector<Shift> shifts;
  /// Whether it is faster than the triangle for so many channels and output positions of each image.
  bool pays(std::int64_t channels, std::int64_t images, std::int64_t outputs) const;

 private:
  explicit Autocorrelation(const Window& window);
};

/// Where image n begins.
template <class Real> using ImageAt = std::function<const Real*(std::int64_t n)>;

/// B (+)= scale Σ_images u uᵀ; an image's channels lie `stride` apart.
template <class Real>
void autocorrelate(const Run& run, const Autocorrelation& form, std::int64_t channels, std::ptrdiff_t stride, std::int64_t images, const ImageAt<Real>& image, const SymmetricTarget<Real>& target);

}  // namespace gradpack
