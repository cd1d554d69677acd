// The ways to compute a convolution, one file each.
#pragma once
#include <memory>

#include "convolution.h"

namespace gradpack {

/// y[o, (n,t)] = Σ_{ck} W[o, ck] x[c, p(k,t)], not adjoint: any geometry.
template <class Real> std::unique_ptr<Call> makeCorrelation(const Convolution& spec);
/// x[(n,p), c] += Σ_o y[o, (n,t)] W[o, ck] for each k, adjoint: any geometry, good for 16 channels a group and more.
template <class Real> std::unique_ptr<Call> makeShiftAdd(const Convolution& spec);
/// D[ck, (n,t)] = Σ_o W[o, ck] y[o, (n,t)], then x[c, p(k,t)] += D, adjoint: any geometry, for few channels a group.
template <class Real> std::unique_ptr<Call> makeFoldedProduct(const Convolution& spec);

/// Tiles of outputs at once by minimal filtering (isa/winograd.h), for windows of two axes without stride and dilation, both ways.
template <class Real> std::unique_ptr<Call> makeWinograd(const Convolution& spec);
/// Whether that is possible, and less work with all its transforms.
bool winogradPays(const Convolution& spec);

}  // namespace gradpack
