// y[Σ iₐ toₐ] (+)= x[Σ iₐ fromₐ], the work of `copy` and of maps that only read an input. Axes are taken in the order of y's strides,
// so that writes are sequential. The two innermost axes are one plate of rows: many short rows cost little more than their bytes.
// Where x is read across the rows and contiguous along another axis, those two axes are the plate, transposed in blocks.
#pragma once
#include "../program/call.h"
#include "../program/strided.h"

namespace gradpack {

template <class T> class StridedCopy {
 public:
  StridedCopy(const Shape& shape, const Strides& from, const Strides& to, bool accumulate);
  void run(const Run& run, const T* x, T* y) const;
  double bytes() const { return (accumulate_ ? 3.0 : 2.0) * static_cast<double>(size_) * sizeof(T); }

 private:
  struct Axis {
    std::int64_t extent = 1;
    std::ptrdiff_t x = 0, y = 0;
  };
  /// Takes an axis out of the walk.
  Axis take(int axis);
  template <bool accumulate> void copyPlate(const T* x, T* y, std::int64_t rows, std::int64_t n) const;
  template <bool accumulate> void walk(const Run& run, const T* x, T* y) const;

  bool accumulate_, transposed_ = false;
  std::int64_t size_;
  Axis row_, column_;
  /// Over plates: the outer axes, then bands of rows and cuts of columns.
  Strided plates_;
  std::int64_t band_, cut_;
};

}  // namespace gradpack
