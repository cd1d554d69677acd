// An instruction set that needs nothing but GCC's vector extensions: vectors of `Bytes`, tiles of `Rows` × 2 of them.
#pragma once
#include "elementwise-kernel.h"
#include "isa.h"
#include "tile-kernel.h"

namespace gradpack {
namespace {

template <class Real, int Bytes, int Rows> Isa<Real> makeVectorIsa() { return {makeTiles<Real, Bytes, Rows>(transposePlain<Real>), makeElementwise<Real>()}; }

}  // namespace
}  // namespace gradpack
