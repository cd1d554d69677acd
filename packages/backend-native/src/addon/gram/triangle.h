// B (+)= scale Σ_steps f fᵀ by register tiles on and above the diagonal. Panels of columns serve as rows of the tiles too. Tasks are
// blocks of the triangle over panels that are packed together, or where a block is all of it, groups of steps with panels of their own.
#pragma once
#include <functional>

#include "../program/call.h"
#include "symmetric-target.h"

namespace gradpack {

/// Packs all panels of columns [f, f + n) over steps [step, step + count).
template <class Real> using PackPanels = std::function<void(std::ptrdiff_t f, std::ptrdiff_t n, std::ptrdiff_t step, std::ptrdiff_t count, Real* d)>;

/// Steps are samples of `each` steps. `pack` is asked for whole samples, or for parts of one that begin at a multiple of 64.
template <class Real> void symmetricProduct(const Run& run, std::ptrdiff_t samples, std::ptrdiff_t each, const PackPanels<Real>& pack, const SymmetricTarget<Real>& target);

}  // namespace gradpack
