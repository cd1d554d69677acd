// The instruction set in use, chosen once per process by what the machine has (or by GRADPACK_ISA, for tests).
#pragma once
#include "elementwise.h"
#include "lanes.h"
#include "outer-tiles.h"
#include "planes.h"
#include "tiles.h"
#include "winograd.h"

namespace gradpack {

template <class Real> struct Isa {
  Tiles<Real> tiles;
  Elementwise<Real> elementwise;
  PlaneKernels<Real> planes;
  LaneKernels<Real> lanes;
  OuterTiles<Real> outer;
  WinogradKernels<Real> winograd;
};

template <class Real> const Isa<Real>& isa();
const char* isaName();

// one file each: isa.portable.cc, isa.neon.cc, isa.avx2.cc, isa.avx512.cc
template <class Real> const Isa<Real>& portableIsa();
template <class Real> const Isa<Real>& neonIsa();
template <class Real> const Isa<Real>& avx2Isa();
template <class Real> const Isa<Real>& avx512Isa();

}  // namespace gradpack
