// The terms of one G packed for register tiles: several terms follow one another along the steps, so that G is one product.
#pragma once
#include <algorithm>
#include <vector>

#include "../gemm/split.h"
#include "outer-spec.h"
#include "panel-frame.h"

namespace gradpack {

/// Columns [0, V) of G. Of a chunk the column panels of some samples are packed first, then rows of the chunk for all V at a time.
template <class Real> class PackedTerms {
 public:
  PackedTerms(const std::vector<Term<Real>>& terms, std::int64_t V) : V_(V) {
    for (const Term<Real>& term : terms) terms_.push_back(&term);
    // a term is 0 beyond its columns: with the longest first, the terms of any column are the first ones
    std::stable_sort(terms_.begin(), terms_.end(), [](const Term<Real>* a, const Term<Real>* b) { return a->V > b->V; });
    for (const Term<Real>* term : terms_) {
      steps_ += term->a->T;
      if (term->u->V > 1) sets_ = V;
    }
  }

  /// Steps of one sample.
  std::int64_t steps() const { return steps_; }
  /// How many sets of columns there are: one where u is the same for all columns of G.
  std::int64_t sets() const { return sets_; }
  std::int64_t rowsSize(std::int64_t m, std::int64_t samples) const { return V_ * steps_ * samples * m; }
  std::int64_t columnsSize(std::int64_t padded, std::int64_t samples) const { return sets_ * steps_ * samples * padded; }

  /// Column panels of samples [n, n + samples).
  void packColumns(const Run& run, const Tiles<Real>& tiles, const Chunk& chunk, std::int64_t n, std::int64_t samples, Real* to) {
    columns_ = to, padded_ = panelSize(tiles, chunk.J, 1), samples_ = samples;
    for (std::int64_t set = 0; set < sets_; set++, to += steps_ * samples * padded_) {
      std::int64_t step = 0;
      for (const Term<Real>* term : terms_) {
        if (set >= term->V) break;
        term->u->packSamples(run, tiles, set, chunk.g, chunk.j, chunk.J, n, samples, to, step, steps_ * samples);
        step += term->u->T * samples;
      }
    }
  }

  /// Rows [o, o + m) of the chunk, the same samples.
  void packRows(const Run& run, const Tiles<Real>& tiles, const Chunk& chunk, std::int64_t o, std::int64_t m, std::int64_t n, Real* to) {
    rows_ = to, m_ = m;
    for (std::int64_t v = 0; v < V_; v++) {
      Real* d = rows(v);
      for (const Term<Real>* term : terms_) {
        if (v >= term->V) break;
        const std::int64_t count = term->a->T * samples_;
        term->a->pack(run, tiles, v, chunk.g, chunk.o + o, m, n * term->a->T, count, d, m);
        d += count * m;
      }
    }
  }

  /// Brings in what will be packed next: rows [o, o + m) of sample n, and part `part` of `parts` of the columns of sample `next`.
  void prefetch(const Run& run, const Chunk& chunk, std::int64_t o, std::int64_t m, std::int64_t n, std::int64_t next, std::int64_t part, std::int64_t parts) const {
    for (const Term<Real>* term : terms_)
      for (std::int64_t sample = 0; sample < samples_; sample++) {
        for (std::int64_t v = 0; v < V_; v++) term->a->prefetch(run, v, n + sample, chunk.g, chunk.o + o, m, 0, 1);
        for (std::int64_t set = 0; set < sets_; set++) term->u->prefetch(run, set, next + sample, chunk.g, chunk.j, chunk.J, part, parts);
      }
  }

  /// What a tile of column v at the chunk's column j takes: its steps, its rows and its panel.
  std::int64_t steps(std::int64_t v) const {
    std::int64_t steps = 0;
    for (const Term<Real>* term : terms_) steps += v < term->V ? term->a->T * samples_ : 0;
    return steps;
  }
  /// The packed rows of each sample in column v, term by term, as body(sample among those packed, numbers, count).
  template <class F> void eachSample(std::int64_t v, const F& body) const {
    Real* d = rows(v);
    for (const Term<Real>* term : terms_) {
      if (v >= term->V) break;
      for (std::int64_t sample = 0; sample < samples_; sample++, d += term->a->T * m_) body(sample, d, term->a->T * m_);
    }
  }
  Real* rows(std::int64_t v) const { return rows_ + v * steps_ * samples_ * m_; }
  const Real* panel(std::int64_t v, std::int64_t j) const { return columns_ + ((sets_ == 1 ? 0 : v) * padded_ + j) * steps_ * samples_; }

 private:
  std::vector<const Term<Real>*> terms_;
  std::int64_t V_, steps_ = 0, sets_ = 1, padded_ = 0, samples_ = 1, m_ = 0;
  Real *rows_ = nullptr, *columns_ = nullptr;
};

}  // namespace gradpack
