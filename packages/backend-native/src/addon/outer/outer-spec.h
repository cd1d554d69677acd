// The decoded form of `outer`: terms of G and the reductions asked of it (core's kernel-call.ts gives the formulas).
#pragma once
#include <optional>
#include <vector>

#include "../program/matrix-view.h"
#include "factor.h"

namespace gradpack {

enum class TermKind { matrix, shift, scale, lookup, given };

template <class Real> struct Term {
  TermKind kind;
  /// Columns of the term: beyond them it is 0.
  std::int64_t V = 1;
  std::optional<Factor<Real>> a, u;
  std::optional<MatrixView> view;
  /// lookup: int32 rows [N, T], of `words` rows; given: the numbers, by strides.
  Place place;
  std::int64_t words = 0, skip = 0, v = 0, n = 0;
  bool hasSkip = false;

  Term(CallReader& words, std::int64_t N, std::int64_t size);
};

enum class RequestForm { plain, square, norm, cross, centred };

template <class Real> struct Request {
  RequestForm form;
  std::int64_t from, to;
  std::optional<Place> weight, samples;
  std::int64_t count;
  std::vector<Term<Real>> cross;
  Place into;
  std::int64_t v, n;
  bool accumulate;

  Request(CallReader& words, std::int64_t N, std::int64_t size);
  /// Whether the samples are summed, and whether the columns are.
  bool sumsSamples() const { return n == 0; }
  bool sumsColumns() const { return v == 0 || to - from == 1; }
  /// Rows of the result that belong to one sample (or to all).
  std::int64_t rows() const { return sumsColumns() ? 1 : to - from; }
  bool covers(std::int64_t column) const { return column >= from && column < to; }
};

template <class Real> struct OuterSpec {
  std::int64_t N, size;
  std::vector<Term<Real>> terms;
  std::vector<Request<Real>> requests;

  explicit OuterSpec(CallReader& words);
  /// Columns that some request covers: [0, columns()).
  std::int64_t columns() const;
};

}  // namespace gradpack
