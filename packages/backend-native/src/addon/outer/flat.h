// Outer products in θ's own layout: any mixture of terms, one whole G[v, n] at a time; where all terms are lookups, only the rows of
// the table that a sample touches.
#pragma once
#include "reducer.h"

namespace gradpack {

/// Whether G is zero outside the rows that lookups name, and no request needs the zeros.
template <class Real> bool isSparse(const OuterSpec<Real>& spec);

/// The requests of the spec (by index). `replaced`: results were not filled with 0 before.
template <class Real> void runFlat(const Run& run, const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests, bool replaced);

}  // namespace gradpack
