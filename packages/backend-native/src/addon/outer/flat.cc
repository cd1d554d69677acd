#include "flat.h"

#include "../gemm/blocked.h"

namespace gradpack {
namespace {

/// Numbers of all groups' sums together, where there is more than one group.
constexpr std::int64_t mostSums = std::int64_t{1} << 22;
/// Numbers below which waking a thread costs more than it brings.
constexpr std::int64_t worthThreads = 100000;

/// The dense factor, or an unfolded one written out, of one sample and group: [F, T].
template <class Real> Matrix<Real> whole(const Run& run, const Factor<Real>& factor, std::int64_t v, std::int64_t n, std::int64_t g, Real* buffer) {
  for (std::int64_t f = 0; f < factor.F; f++) {
    Real* line = buffer + f * factor.T;
    const Real* row = factor.row(run, v, n, g, f, line);
    if (row != line) std::copy_n(row, factor.T, line);
  }
  return {buffer, factor.T, 1};
}

template <class Real> void addMatrix(const Run& run, const Term<Real>& term, std::int64_t v, std::int64_t n, Real* G) {
  const MatrixView& view = *term.view;
  const std::int64_t T = term.a->T, O = view.O, I = view.columns();
  Real* buffer = scratch<Real>(Scratch::product, (O + I) * T);
  for (std::int64_t g = 0; g < view.G; g++) {
    const Matrix<Real> a = whole(run, *term.a, v, n, g, buffer), u = whole(run, *term.u, v, n, g, buffer + O * T).transposed();
    if (view.regular()) {
      multiply<Real>(1, O, I, T, 1, a, u, {G + g * view.g, view.o, view.columnStride(), true});
      continue;
    }
    for (std::int64_t k = 0; k < view.K; k++) multiply<Real>(1, O, view.C, T, 1, a, {u.at(0, k).p, u.rowStride, u.columnStride * view.K}, {G + g * view.g + k * view.k, view.o, view.c, true});
  }
}

/// Σ_t of a[f, t], or of a[f, t] u[f, t]: along f where its numbers are neighbours, else along t.
template <class Real> void addRows(const Run& run, const Term<Real>& term, std::int64_t v, std::int64_t n, Real* G) {
  const Factor<Real>& a = *term.a;
  Real *line = scratch<Real>(Scratch::product, 2 * std::max(a.T, a.F)), *other = line + std::max(a.T, a.F);
  for (std::int64_t g = 0; g < a.G; g++) {
    if (a.alongFeatures()) {
      for (std::int64_t t = 0; t < a.T; t++) {
        const Real* row = a.position(run, v, n, g, t, line);
        if (term.u) isa<Real>().elementwise.addProducts(1, row, term.u->position(run, v, n, g, t, other), G + g * a.F, a.F);
        else isa<Real>().elementwise.addScaled(1, row, G + g * a.F, a.F);
      }
      continue;
    }
    for (std::int64_t f = 0; f < a.F; f++) {
      const Real* row = a.row(run, v, n, g, f, line);
      Real& to = G[g * a.F + f];
      if (!term.u) {
        to += isa<Real>().elementwise.sum(row, a.T);
        continue;
      }
      const Real* with = term.u->row(run, v, n, g, f, other);
      isa<Real>().elementwise.binary[static_cast<int>(BinaryOp::mul)][static_cast<int>(Single::neither)](row, with, line, a.T);
      to += isa<Real>().elementwise.sum(line, a.T);
    }
  }
}

/// The row of the table that position t of sample n adds to, or −1.
template <class Real> std::int64_t rowOf(const Run& run, const Term<Real>& term, std::int64_t n, std::int64_t t) {
  const std::int64_t row = run.read<std::int32_t>(term.place)[n * term.a->T + t];
  return row < 0 || row >= term.words || (term.hasSkip && row == term.skip) ? -1 : row;
}

template <class Real> void addPosition(const Run& run, const Term<Real>& term, std::int64_t v, std::int64_t n, std::int64_t t, Real* row) {
  isa<Real>().elementwise.addScaled(1, term.a->position(run, v, n, 0, t, scratch<Real>(Scratch::line, term.a->F)), row, term.a->F);
}

template <class Real> void addTerm(const Run& run, const Term<Real>& term, std::int64_t size, std::int64_t v, std::int64_t n, Real* G) {
  if (v >= term.V) return;
  switch (term.kind) {
    case TermKind::matrix:
      addMatrix(run, term, v, n, G);
      return;
    case TermKind::shift:
    case TermKind::scale:
      addRows(run, term, v, n, G);
      return;
    case TermKind::lookup: {
      for (std::int64_t t = 0; t < term.a->T; t++) {
        const std::int64_t row = rowOf(run, term, n, t);
        if (row >= 0) addPosition(run, term, v, n, t, G + row * term.a->F);
      }
      return;
    }
    case TermKind::given:
      isa<Real>().elementwise.addScaled(1, run.read<Real>(term.place) + (term.V == 1 ? 0 : v) * term.v + n * term.n, G, size);
      return;
  }
}

/// Numbers that are read and reduced.
template <class Real> std::int64_t work(const OuterSpec<Real>& spec) {
  std::int64_t numbers = spec.size;
  for (const Term<Real>& term : spec.terms)
    if (term.a) numbers += term.a->G * term.a->F * term.a->T;
  return spec.N * spec.columns() * numbers;
}

template <class Real> void wholeG(const Run& run, const std::vector<Term<Real>>& terms, std::int64_t size, std::int64_t v, std::int64_t n, Real* G) {
  std::fill_n(G, size, Real(0));
  for (const Term<Real>& term : terms) addTerm(run, term, size, v, n, G);
}

/// Positions that add to rows of the table, sorted by row.
struct Touch {
  std::int64_t row;
  std::size_t term;
  std::int64_t t;
};

template <class Real> std::vector<Touch> touches(const Run& run, const std::vector<Term<Real>>& terms, std::int64_t n) {
  std::vector<Touch> all;
  for (std::size_t i = 0; i < terms.size(); i++)
    for (std::int64_t t = 0; t < terms[i].a->T; t++) {
      const std::int64_t row = rowOf(run, terms[i], n, t);
      if (row >= 0) all.push_back({row, i, t});
    }
  std::stable_sort(all.begin(), all.end(), [](const Touch& a, const Touch& b) { return a.row < b.row; });
  return all;
}

}  // namespace

template <class Real> bool isSparse(const OuterSpec<Real>& spec) {
  for (const Term<Real>& term : spec.terms)
    if (term.kind != TermKind::lookup || term.a->F != spec.terms[0].a->F) return false;
  for (const Request<Real>& request : spec.requests)
    if (request.form == RequestForm::centred) return false;
  return !spec.terms.empty();
}

template <class Real> void runFlat(const Run& run, const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests, bool replaced) {
  const Reducer<Real> reducer(run, spec, requests, replaced);
  const std::int64_t V = spec.columns(), N = spec.N, size = spec.size, blocks = reducer.blocks();
  const bool sparse = isSparse(spec);
  std::int64_t groups = run.threads == 1 ? 1 : std::min<std::int64_t>(N, 2 * run.threads);
  if (work(spec) < worthThreads) groups = 1;
  groups = std::max<std::int64_t>(groups, ceilDivide(N, samplesOfSum));
  groups = std::max<std::int64_t>(1, std::min(groups, mostSums / std::max<std::int64_t>(1, (blocks + 1) * size)));
  const Split split(N, ceilDivide(N, groups));
  Real* cells = scratch<Real>(Scratch::sharedSums, split.count * blocks * size);
  std::vector<Sums<Real>> sums;
  std::vector<std::int64_t> ends;
  for (std::int64_t group = 0; group < split.count; group++) {
    sums.push_back({cells + group * blocks * size, size, split.at(group)});
    ends.push_back(split.at(group) + split.size(group));
  }
  double* norms = scratch<double>(Scratch::sharedNorms, V * N);
  std::fill_n(norms, V * N, 0.0);
  run.parallel(split.count, [&](std::int64_t task) {
    const Sums<Real>& own = sums[static_cast<std::size_t>(task)];
    std::fill_n(own.cells, blocks * size, Real(0));
    const std::int64_t length = sparse ? spec.terms[0].a->F : size, width = std::max<std::int64_t>(1, length);
    // G, P of a cross request, temporaries
    Real* G = scratch<Real>(Scratch::tile, (sparse ? size : length) + length * (1 + reducer.temporaries()));
    Real *temporary = G + length, *P = temporary + length * reducer.temporaries();
    for (std::int64_t n = own.start; n < ends[static_cast<std::size_t>(task)]; n++) {
      if (!reducer.wants(n)) continue;
      if (!sparse) {
        for (std::int64_t v = 0; v < V; v++) {
          if (!reducer.wantsColumn(v)) continue;
          wholeG(run, spec.terms, size, v, n, G);
          reducer.reduce({v, n, G, size, width, width, 0}, own, temporary, norms,
                         [&](std::size_t i) {
                           const Request<Real>& request = *reducer.requests()[i].request;
                           wholeG(run, request.cross, size, v - request.from, n, P);
                           return P;
                         },
                         [&](const Real* values, Real* row, bool add) {
                           if (add) isa<Real>().elementwise.addScaled(1, values, row, size);
                           else std::copy_n(values, size, row);
                         });
        }
        continue;
      }
      const std::vector<Touch> touched = touches(run, spec.terms, n);
      for (std::size_t i = 0, end = 0; i < touched.size(); i = end) {
        while (end < touched.size() && touched[end].row == touched[i].row) end++;
        const std::int64_t at = touched[i].row * length;
        for (std::int64_t v = 0; v < V; v++) {
          if (!reducer.wantsColumn(v)) continue;
          std::fill_n(G, length, Real(0));
          for (std::size_t j = i; j < end; j++)
            if (v < spec.terms[touched[j].term].V) addPosition(run, spec.terms[touched[j].term], v, n, touched[j].t, G);
          reducer.reduce({v, n, G, length, width, width, at}, own, temporary, norms,
                         [&](std::size_t r) {
                           const Request<Real>& request = *reducer.requests()[r].request;
                           wholeG(run, request.cross, size, v - request.from, n, P);
                           return P + at;
                         },
                         [&](const Real* values, Real* row, bool) { isa<Real>().elementwise.addScaled(1, values, row + at, length); });
        }
      }
    }
  });
  for (const StripRequest<Real>& r : reducer.requests()) {
    const Request<Real>& request = *r.request;
    if (request.form == RequestForm::norm) writeNorms(run, request, r.samples, N, norms);
    if (request.form == RequestForm::norm || !request.sumsSamples()) continue;
    run.parallelRanges(size, 16384, [&](std::int64_t from, std::int64_t to) {
      reducer.join(r, sums, ends, from, to);
      for (std::int64_t row = 0; row < request.rows(); row++) {
        const Real* values = sums[0].block(r.block + row);
        Real* out = run.write<Real>(request.into) + row * request.v;
        if (reducer.adds(r))
          for (std::int64_t e = from; e < to; e++) out[e] += values[e];
        else std::copy(values + from, values + to, out + from);
      }
    });
  }
}

template bool isSparse<float>(const OuterSpec<float>&);
template bool isSparse<double>(const OuterSpec<double>&);
template void runFlat<float>(const Run&, const OuterSpec<float>&, const std::vector<std::size_t>&, bool);
template void runFlat<double>(const Run&, const OuterSpec<double>&, const std::vector<std::size_t>&, bool);

}  // namespace gradpack
