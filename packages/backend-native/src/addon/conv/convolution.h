// What `convolve` and `convolveTransposed` ask for, in one form. Both are either a correlation (each output gathers what its window
// reads) or its adjoint (each input is spread over the window). With a transposed window the one is the other of the mirrored window
// and the transposed matrices, which wastes nothing on the zeros between positions: so `window` is never transposed.
#pragma once
#include "../program/call.h"
#include "../program/matrix-view.h"
#include "../window/window.h"

namespace gradpack {

struct Convolution {
  Convolution(CallReader& words, bool transposed);

  std::int64_t V, N;
  bool fromPerColumn, weightPerColumn;
  /// |θ|
  std::int64_t parameters;
  MatrixView view;
  Window window;
  bool accumulate, biased, adjoint;
  Place from, weight, bias, to;
  /// V·N images as `stacks` times `images` that share their weights and follow each other in both operands.
  std::int64_t stacks, images;

  /// The same with input and output exchanged; needs window.zeros().
  Convolution mirrored() const;

  std::int64_t fromChannels() const { return view.G * (adjoint ? view.O : view.C); }
  std::int64_t toChannels() const { return view.G * (adjoint ? view.C : view.O); }
  std::int64_t fromPositions() const { return adjoint ? window.outputs() : window.inputs(); }
  std::int64_t toPositions() const { return adjoint ? window.inputs() : window.outputs(); }
};

/// A call of any method.
template <class Real> class ConvolutionCall : public Call {
 public:
  explicit ConvolutionCall(const Convolution& spec) : spec_(spec) {}
  double flops() const override { return 2.0 * static_cast<double>(spec_.V * spec_.N * spec_.view.G * spec_.view.O) * static_cast<double>(spec_.window.outputs() * spec_.view.columns()); }
  double bytes() const override { return static_cast<double>(spec_.V * spec_.N) * static_cast<double>(fromSize() + toSize()) * sizeof(Real); }

 protected:
  std::int64_t fromSize() const { return spec_.fromChannels() * spec_.fromPositions(); }
  std::int64_t toSize() const { return spec_.toChannels() * spec_.toPositions(); }
  const Real* from(const Run& run, std::int64_t stack, std::int64_t image) const { return run.read<Real>(spec_.from) + ((spec_.fromPerColumn ? stack * spec_.images : 0) + image) * fromSize(); }
  Real* to(const Run& run, std::int64_t stack, std::int64_t image) const { return run.write<Real>(spec_.to) + (stack * spec_.images + image) * toSize(); }
  /// How many weights there are, and which one a stack has.
  std::int64_t weights() const { return spec_.weightPerColumn ? spec_.V : 1; }
  std::int64_t weightOf(std::int64_t stack) const { return spec_.weightPerColumn ? stack : 0; }
  const Real* weight(const Run& run, std::int64_t w, std::int64_t g) const { return run.read<Real>(spec_.weight) + w * spec_.parameters + g * spec_.view.g; }

  const Convolution spec_;
};

}  // namespace gradpack
