// convolve and convolveTransposed: which method computes them.
#include <algorithm>

#include "../conv/methods.h"
#include "../isa/isa.h"
#include "decoders.h"

namespace gradpack {
namespace {

/// Whether an adjoint is as little work as the correlation with the mirrored window: where nearly every input has all its K outputs.
bool isDense(const Convolution& spec) {
  const Window& window = spec.window;
  const bool steps = std::all_of(window.stride().begin(), window.stride().end(), [](std::int64_t stride) { return stride == 1; });
  return window.zeros() && steps && 20 * window.inputs() <= 21 * window.outputs();
}

/// Whether whole vectors of channels are not much more than the channels.
template <class Real> bool fillsVectors(std::int64_t channels) {
  const std::int64_t width = isa<Real>().lanes.width;
  return 4 * ((channels + width - 1) / width * width) <= 5 * channels;
}

template <class Real> std::unique_ptr<Call> makeAdjoint(const Convolution& spec) {
  const bool dense = isDense(spec);
  // pointwise: a plain matrix product, nothing to spread
  if (dense && spec.view.K == 1) return makeCorrelation<Real>(spec.mirrored());
  if (fillsVectors<Real>(spec.view.C)) return makeShiftAdd<Real>(spec);
  // a correlation packs O·K numbers a position and a fold adds C·K (depthwise 64 k3 on 28²: 1.5 ms and 3.4; 96→3 k3 on 32²: 1.1 and 0.53)
  if (dense && spec.view.C >= spec.view.O) return makeCorrelation<Real>(spec.mirrored());
  return makeFoldedProduct<Real>(spec);
}

template <class Real> std::unique_ptr<Call> decode(CallReader& words, bool transposed) {
  const Convolution spec(words, transposed);
  if (winogradPays(spec)) return makeWinograd<Real>(spec);
  return spec.adjoint ? makeAdjoint<Real>(spec) : makeCorrelation<Real>(spec);
}

}  // namespace

template <class Real> std::unique_ptr<Call> decodeConvolve(CallReader& words) { return decode<Real>(words, false); }
template <class Real> std::unique_ptr<Call> decodeConvolveTransposed(CallReader& words) { return decode<Real>(words, true); }
template std::unique_ptr<Call> decodeConvolve<float>(CallReader&);
template std::unique_ptr<Call> decodeConvolve<double>(CallReader&);
template std::unique_ptr<Call> decodeConvolveTransposed<float>(CallReader&);
template std::unique_ptr<Call> decodeConvolveTransposed<double>(CallReader&);

}  // namespace gradpack
