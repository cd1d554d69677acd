// Everything of an instruction set, from the size of its vectors, the rows of its tiles and its way with lanes.
#pragma once
#include "elementwise-kernel.h"
#include "isa.h"
#include "lane-kernel.h"
#include "outer-tile-kernel.h"
#include "planes-kernel.h"
#include "tile-kernel.h"
#include "winograd-kernel.h"

namespace gradpack {
namespace {

/// Tiles are `Rows` × 2 vectors of `Bytes`.
template <class LaneSet, int Bytes, int Rows, class Real = typename LaneSet::Real>
Isa<Real> makeIsa(void (*transpose)(const Real*, std::ptrdiff_t, int, std::ptrdiff_t, Real*, std::ptrdiff_t)) {
  return {makeTiles<Real, Bytes, Rows>(transpose), makeElementwise<Real, Bytes>(), makePlanes<Real, Bytes>(), makeLanes<LaneSet>(), makeOuterTiles<Real, Bytes, Rows, Rows / 2>(), makeWinograd<Real, Bytes>()};
}

}  // namespace
}  // namespace gradpack
