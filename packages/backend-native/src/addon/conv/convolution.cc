#include "convolution.h"

namespace gradpack {

Convolution::Convolution(CallReader& words, bool transposed)
    : V(words.extent()), N(words.extent()), fromPerColumn(words.flag()), weightPerColumn(words.flag()), parameters(words.extent()), view(words), window(words), accumulate(words.flag()),
      biased(!transposed && words.flag()), adjoint(transposed) {
  words.expectOperands(biased ? 3 : 2, 1);
  if (window.offsets() != view.K) failInternal("its window has " + std::to_string(window.offsets()) + " offsets and its weight " + std::to_string(view.K));
  sizeOf({V, N, view.G * view.O, window.outputs(), view.columns()});
  sizeOf({V, N, view.G * view.C, window.inputs()});
  from = words.read(0, words.precision, Extent::contiguous(sizeOf({fromPerColumn ? V : 1, N, fromChannels(), fromPositions()})));
  weight = words.read(1, words.precision, Extent{}.axis(weightPerColumn ? V : 1, parameters).shift(view.extent().low, view.extent().high));
  if (biased) bias = words.read(2, words.precision, Extent::contiguous(toChannels()));
  to = words.write(0, words.precision, Extent::contiguous(sizeOf({V, N, toChannels(), toPositions()})));
  if (biased && accumulate) failInternal("it has a bias and accumulates");
  stacks = weightPerColumn || !fromPerColumn ? V : 1;
  images = V * N / stacks;
  if (window.transposed()) *this = mirrored();
}

Convolution Convolution::mirrored() const {
  Convolution other = *this;
  other.view = view.mirrored();
  other.window = window.mirrored();
  other.adjoint = !adjoint;
  return other;
}

}  // namespace gradpack
