// Reduces strips: pieces of G[v, n] that were just computed and are still in L1 or L2. Every request takes what it needs from the same
// strip. Sums go to cells of the group of samples at hand (`Sums`), individual results straight to their rows, norms to one number per (v, n).
#pragma once
#include <vector>

#include "../isa/isa.h"
#include "samples.h"

namespace gradpack {

/// A request that reads strips, and where its running sums are.
template <class Real> struct StripRequest {
  const Request<Real>* request;
  Samples<Real> samples;
  /// First of its blocks of cells; `rows()` blocks, twice as many for `centred` (means, then spreads).
  std::int64_t block;
  /// Which temporary row holds an individual result that needs more than a copy of the strip; −1: none.
  int temporary;
  /// Whether it is reduced from strips; otherwise somebody else fills its cells or rows.
  bool fromStrips;
};

/// A piece of G[v, n]: rows of `width` numbers of which the first `valid` count.
template <class Real> struct Strip {
  std::int64_t v, n;
  const Real* G;
  std::int64_t count, width, valid;
  /// Its first cell among all.
  std::int64_t cell;
};

/// The running sums of one group of samples.
template <class Real> struct Sums {
  Real* cells;
  std::int64_t perBlock;
  /// First sample of the group: `centred` counts from there.
  std::int64_t start;
  Real* block(std::int64_t index) const { return cells + index * perBlock; }
};

template <class Real> class Reducer {
 public:
  /// `requests` of the spec (by index) as strip requests. `replaced`: results were not filled with 0 before.
  /// `fromStrips`: which of them are reduced here (all where it is empty); the others only have their places here.
  Reducer(const Run& run, const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests, bool replaced, const std::vector<bool>& fromStrips = {});

  const std::vector<StripRequest<Real>>& requests() const { return requests_; }
  std::int64_t blocks() const { return blocks_; }
  int temporaries() const { return temporaries_; }
  bool wants(std::int64_t n) const;
  bool wantsColumn(std::int64_t v) const;
  bool adds(const StripRequest<Real>& r) const { return r.request->accumulate || !replaced_; }

  /// `cross(i)` is the strip of request i's own terms; `emit(values, row, add)` writes a strip of an individual result whose row
  /// begins at `row`; `temporary` has room for temporaries() strips; norms [V, N] or null.
  template <class Cross, class Emit>
  void reduce(const Strip<Real>& strip, const Sums<Real>& sums, Real* temporary, double* norms, const Cross& cross, const Emit& emit) const;

  /// Joins the cells [from, to) of all groups into the first group's; what remains there are results.
  void join(const StripRequest<Real>& r, const std::vector<Sums<Real>>& groups, const std::vector<std::int64_t>& ends, std::int64_t from, std::int64_t to) const;

 private:
  Real* into(const StripRequest<Real>& r) const { return run_.write<Real>(r.request->into); }
  const Run& run_;
  std::int64_t N_;
  bool replaced_;
  std::vector<StripRequest<Real>> requests_;
  std::int64_t blocks_ = 0;
  int temporaries_ = 0;
};

template <class Real>
Reducer<Real>::Reducer(const Run& run, const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests, bool replaced, const std::vector<bool>& fromStrips) : run_(run), N_(spec.N), replaced_(replaced) {
  for (std::size_t i = 0; i < requests.size(); i++) {
    const Request<Real>& request = spec.requests[requests[i]];
    StripRequest<Real> r{&request, Samples<Real>(run, request, spec.N), blocks_, -1, fromStrips.empty() || fromStrips[i]};
    if (request.form != RequestForm::norm) {
      if (request.sumsSamples()) blocks_ += request.rows() * (request.form == RequestForm::centred ? 2 : 1);
      else if (r.fromStrips && (request.form != RequestForm::plain || request.weight || request.to - request.from > 1)) r.temporary = temporaries_++;
    }
    requests_.push_back(std::move(r));
  }
}

template <class Real> bool Reducer<Real>::wants(std::int64_t n) const {
  for (const StripRequest<Real>& r : requests_)
    if (r.samples.times(n) > 0) return true;
  return false;
}

template <class Real> bool Reducer<Real>::wantsColumn(std::int64_t v) const {
  for (const StripRequest<Real>& r : requests_)
    if (r.request->covers(v)) return true;
  return false;
}

template <class Real>
template <class Cross, class Emit>
void Reducer<Real>::reduce(const Strip<Real>& strip, const Sums<Real>& sums, Real* temporary, double* norms, const Cross& cross, const Emit& emit) const {
  const Elementwise<Real>& loops = isa<Real>().elementwise;
  const std::int64_t v = strip.v, n = strip.n, count = strip.count;
  bool measured = false;
  for (std::size_t i = 0; i < requests_.size(); i++) {
    const StripRequest<Real>& r = requests_[i];
    const Request<Real>& request = *r.request;
    const std::int64_t times = r.samples.times(n);
    if (!r.fromStrips || !request.covers(v) || times == 0) continue;
    const Real w = r.samples.weight(v, n);
    const auto add = [&](Real by, Real* to) {
      if (request.form == RequestForm::plain) loops.addScaled(w * by, strip.G, to, count);
      else if (request.form == RequestForm::square) loops.addSquares(w * by, strip.G, to, count);
      else loops.addProducts(2 * by, strip.G, cross(i), to, count);
    };
    if (request.form == RequestForm::norm) {
      if (measured) continue;
      measured = true;
      if (strip.valid == strip.width) norms[v * N_ + n] += loops.sumOfSquares(strip.G, count);
      else
        for (std::int64_t row = 0; row < count; row += strip.width) norms[v * N_ + n] += loops.sumOfSquares(strip.G + row, strip.valid);
    } else if (request.form == RequestForm::centred) {
      const std::int64_t seen = r.samples.before(n) - r.samples.before(sums.start);
      for (std::int64_t j = 0; j < times; j++) loops.addDeviations(Real(1) / static_cast<Real>(seen + j + 1), strip.G, sums.block(r.block) + strip.cell, sums.block(r.block + 1) + strip.cell, count);
    } else if (request.sumsSamples()) {
      add(static_cast<Real>(times), sums.block(r.block + (request.rows() > 1 ? v - request.from : 0)) + strip.cell);
    } else {
      const Real* values = strip.G;
      if (r.temporary >= 0) {
        Real* own = temporary + r.temporary * count;
        if (v == request.from || !request.sumsColumns()) std::fill_n(own, count, Real(0));
        add(1, own);
        values = own;
        if (request.sumsColumns() && v + 1 < request.to) continue;
      }
      for (std::int64_t j = 0; j < times; j++) emit(values, into(r) + (v - request.from) * request.v + r.samples.row(n, j) * request.n, adds(r));
    }
  }
}

template <class Real>
void Reducer<Real>::join(const StripRequest<Real>& r, const std::vector<Sums<Real>>& groups, const std::vector<std::int64_t>& ends, std::int64_t from, std::int64_t to) const {
  if (r.request->form != RequestForm::centred) {
    for (std::int64_t block = r.block; block < r.block + r.request->rows(); block++)
      for (std::size_t group = 1; group < groups.size(); group++) isa<Real>().elementwise.addScaled(1, groups[group].block(block) + from, groups[0].block(block) + from, to - from);
    return;
  }
  // Chan's formula for the mean and spread of two sets
  Real *mean = groups[0].block(r.block), *spread = groups[0].block(r.block + 1);
  const auto counted = [&](std::size_t group) { return static_cast<Real>(r.samples.before(ends[group]) - r.samples.before(groups[group].start)); };
  Real seen = counted(0);
  for (std::size_t group = 1; group < groups.size(); group++) {
    const Real more = counted(group);
    if (more == 0) continue;
    const Real *otherMean = groups[group].block(r.block), *otherSpread = groups[group].block(r.block + 1), all = seen + more, share = more / all;
    for (std::int64_t cell = from; cell < to; cell++) {
      const Real d = otherMean[cell] - mean[cell];
      mean[cell] += d * share;
      spread[cell] += otherSpread[cell] + d * d * seen * share;
    }
    seen = all;
  }
  // the result takes the place of the means, which is where the other forms have theirs
  for (std::int64_t cell = from; cell < to; cell++) mean[cell] = spread[cell] / std::max<Real>(seen, 1);
}

/// The norms of all samples into the results that ask for them.
template <class Real> void writeNorms(const Run& run, const Request<Real>& request, const Samples<Real>& samples, std::int64_t N, const double* norms) {
  Real* into = run.write<Real>(request.into);
  // sums are kept in double until all is added: rows may coincide where a stride is 0
  const std::int64_t rows = request.rows();
  for (std::int64_t row = 0; row < rows; row++) {
    double total = 0;
    const std::int64_t first = rows > 1 ? request.from + row : request.from, last = rows > 1 ? first + 1 : request.to;
    for (std::int64_t n = 0; n < N; n++) {
      double own = 0;
      for (std::int64_t v = first; v < last; v++) own += static_cast<double>(samples.weight(v, n)) * norms[v * N + n];
      total += own * static_cast<double>(samples.times(n));
      for (std::int64_t j = 0; j < samples.times(n) && !request.sumsSamples(); j++) {
        Real& to = into[row * request.v + samples.row(n, j) * request.n];
        to = static_cast<Real>(request.accumulate ? to + own : own);
      }
    }
    if (!request.sumsSamples()) continue;
    Real& to = into[row * request.v];
    to = static_cast<Real>(request.accumulate ? to + total : total);
  }
}

}  // namespace gradpack
