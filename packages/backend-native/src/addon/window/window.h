// The window geometry of core's window.ts: which input position output t reads at kernel offset k.
#pragma once
#include <cstdint>
#include <vector>

#include "../program/reader.h"

namespace gradpack {

/// Refuses more positions than a table can have; returns them.
std::int64_t checkedPositions(std::int64_t count);

class Window {
 public:
  enum class Mode { zeros, reflect, replicate, circular };

  explicit Window(Reader& words);
  /// Without dilation, and zeros outside; output t reads t·stride − low + k.
  Window(Shape input, Shape kernel, Shape output, Shape stride, Shape low);

  std::int64_t inputs() const { return S_; }
  std::int64_t offsets() const { return K_; }
  std::int64_t outputs() const { return T_; }

  const Shape& input() const { return input_; }
  const Shape& kernel() const { return kernel_; }
  const Shape& output() const { return output_; }
  const Shape& stride() const { return stride_; }
  const Shape& dilation() const { return dilation_; }
  const Shape& low() const { return low_; }
  bool transposed() const { return transposed_; }
  Mode mode() const { return mode_; }
  /// Whether positions outside read 0, so that there is a mirrored window.
  bool zeros() const { return transposed_ || mode_ == Mode::zeros; }
  /// The same pairs of positions with input and output exchanged.
  Window mirrored() const;
  /// The input position along an axis, or −1.
  std::int64_t positionAlong(std::size_t axis, std::int64_t k, std::int64_t t) const;

  /// [K, T]: the input position, or −1.
  std::vector<std::int32_t> table() const;

 private:
  Shape input_, kernel_, output_, stride_, dilation_, low_;
  bool transposed_;
  Mode mode_;
  std::int64_t S_, K_, T_;
};

}  // namespace gradpack
