// The window geometry of core's window.ts: which input position output t reads at kernel offset k, as a table and as runs.
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

/// Outputs t, t + stepT, … read inputs p, p + stepP, …
struct WindowRun {
  std::int32_t t, p, count, stepT, stepP;
};

/// For each kernel offset the runs of outputs that read something, in ascending t; runs of one offset do not interleave.
class WindowRuns {
 public:
  explicit WindowRuns(const Window& window);

  std::int64_t inputs, offsets, outputs;
  const WindowRun* begin(std::int64_t k) const { return runs_.data() + first_[static_cast<std::size_t>(k)]; }
  const WindowRun* end(std::int64_t k) const { return runs_.data() + first_[static_cast<std::size_t>(k) + 1]; }

  /// row[0 … n) = what outputs t0 … t0 + n of offset k read of x, 0 where nothing.
  template <class Real> void unfold(std::int64_t k, const Real* x, std::int64_t t0, std::int64_t n, Real* row) const;
  /// The adjoint: x[p] += row.
  template <class Real> void fold(std::int64_t k, const Real* row, std::int64_t t0, std::int64_t n, Real* x) const;

 private:
  /// The part of each run that lies in [t0, t0 + n), as body(first t − t0, p, count, stepT, stepP).
  template <class F> void clipped(std::int64_t k, std::int64_t t0, std::int64_t n, const F& body) const;
  std::vector<WindowRun> runs_;
  std::vector<std::size_t> first_;
  /// Whether every output of an offset reads something.
  std::vector<bool> full_;
};

}  // namespace gradpack
