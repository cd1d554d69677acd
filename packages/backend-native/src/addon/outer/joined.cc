#include "../gemm/blocked.h"
#include "panels.h"

namespace gradpack {
namespace {

/// Steps (v, n, t) of one product: as deep as GEMM's blocks.
constexpr std::int64_t most = 384;
constexpr std::int64_t chunkRows = 168, chunkColumns = 288;
constexpr std::int64_t mostSums = std::int64_t{1} << 26;

/// x ← by x, or by x²; `by` is that of each step's sample.
template <class Real, class By> void scale(Real* x, std::int64_t count, std::int64_t ld, std::int64_t m, bool squared, const By& by) {
  for (std::int64_t q = 0; q < count; q++, x += ld) {
    const Real w = by(q);
    for (std::int64_t r = 0; r < m; r++) x[r] = squared ? w * x[r] * x[r] : w * x[r];
  }
}

/// Accumulates one chunk over the samples [n0, n1).
template <class Real> class JoinedTask {
 public:
  JoinedTask(const Run& run, const Tiles<Real>& tiles, const Chunk& chunk, const Samples<Real>& samples, bool squared, Real* cells)
      : run_(run), tiles_(tiles), chunk_(chunk), samples_(samples), squared_(squared), rows_(chunk.O, tiles.rows), padded_(panelSize(tiles, chunk.J, 1)), cells_(cells),
        a_(scratch<Real>(Scratch::rows, most * chunk.O)), u_(scratch<Real>(Scratch::columns, most * padded_)) {
    std::fill_n(cells, chunk.cells, Real(0));
  }

  /// Columns [from, to) of one term. With `early` (squares, u without columns) they are summed before the product.
  void add(const Term<Real>& term, std::int64_t from, std::int64_t to, std::int64_t n0, std::int64_t n1, bool early) {
    const std::int64_t T = term.a->T;
    to = std::min(to, term.V);
    for (std::int64_t v = from; v < to; v = early ? to : v + 1)
      for (std::int64_t step = n0 * T; step < n1 * T; step += most) {
        const std::int64_t count = std::min(most, n1 * T - step);
        for (std::int64_t i = 0; i < rows_.count; i++) packRows(term, v, early ? to : v + 1, i, step, count);
        term.u->packPanels(run_, tiles_, v, chunk_.g, chunk_.j, chunk_.J, step, count, u_);
        if (squared_) scale(u_, 1, 0, count * padded_, true, [](std::int64_t) { return Real(1); });
        multiply(count);
      }
  }

 private:
  void packRows(const Term<Real>& term, std::int64_t from, std::int64_t to, std::int64_t i, std::int64_t step, std::int64_t count) {
    const std::int64_t m = rows_.size(i), T = term.a->T;
    Real* d = a_ + rows_.at(i) * most;
    for (std::int64_t v = from; v < to; v++) {
      Real* target = v == from ? d : scratch<Real>(Scratch::product, count * m);
      term.a->pack(run_, tiles_, v, chunk_.g, chunk_.o + rows_.at(i), m, step, count, target, m);
      if (squared_ || samples_.weighted()) scale(target, count, m, m, squared_, [&](std::int64_t q) { return samples_.weight(v, (step + q) / T); });
      if (v > from)
        for (std::int64_t e = 0; e < count * m; e++) d[e] += target[e];
    }
  }

  void multiply(std::int64_t count) {
    const Real* u = u_;
    Real* cells = cells_;
    for (std::int64_t j = 0; j < chunk_.J; j += tiles_.columns) {
      const std::int64_t width = panelWidth(tiles_, chunk_.J - j);
      for (std::int64_t i = 0; i < rows_.count; i++)
        (width == tiles_.columns ? tiles_.wide : tiles_.narrow)[rows_.size(i)](count, a_ + rows_.at(i) * most, rows_.size(i), u, width, cells + rows_.at(i) * width, width, true);
      u += count * width;
      cells += chunk_.O * width;
    }
  }

  const Run& run_;
  const Tiles<Real>& tiles_;
  const Chunk& chunk_;
  const Samples<Real>& samples_;
  bool squared_;
  Split rows_;
  std::int64_t padded_;
  Real *cells_, *a_, *u_;
};

}  // namespace

template <class Real> void runJoined(const Run& run, const OuterSpec<Real>& spec, const MatrixView& view, const Request<Real>& request, bool squared, bool replaced) {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  const Samples<Real> samples(run, request, spec.N);
  const std::int64_t N = spec.N, results = request.rows(), wanted = run.threads == 1 ? 1 : 4 * run.threads;
  // rows are cut first: groups of samples need sums of their own, which are read again
  const std::int64_t rows = std::clamp<std::int64_t>(ceilDivide(view.O * view.G * ceilDivide(view.columns(), chunkColumns) * results, wanted), 4 * tiles.rows, chunkRows);
  const PanelFrame<Real> frame(tiles, view, rows, chunkColumns);
  const std::int64_t chunks = static_cast<std::int64_t>(frame.chunks.size()), perGroup = results * frame.cells;
  std::int64_t steps = 0;
  for (const Term<Real>& term : spec.terms) steps += term.a->T;
  std::int64_t groups = std::min({N, ceilDivide(wanted, chunks * results), std::max<std::int64_t>(1, N * steps / 64), std::max<std::int64_t>(1, mostSums / perGroup)});
  const Split split(N, ceilDivide(N, groups));
  Real* cells = scratch<Real>(Scratch::sharedSums, split.count * perGroup);
  const auto cellsOf = [&](std::int64_t group, std::int64_t result, const Chunk& chunk) { return cells + group * perGroup + result * frame.cells + chunk.cell; };
  const auto finish = [&](std::int64_t result, const Chunk& chunk) {
    for (std::int64_t group = 1; group < split.count; group++) isa<Real>().elementwise.addScaled(1, cellsOf(group, result, chunk), cellsOf(0, result, chunk), chunk.cells);
    frame.emitChunk(tiles, chunk, cellsOf(0, result, chunk), run.write<Real>(request.into) + result * request.v, request.accumulate || !replaced);
  };
  run.parallel(chunks * results * split.count, [&](std::int64_t task) {
    const Chunk& chunk = frame.chunks[static_cast<std::size_t>(task % chunks)];
    const std::int64_t result = task / chunks % results, group = task / chunks / results;
    JoinedTask<Real> work(run, tiles, chunk, samples, squared, cellsOf(group, result, chunk));
    const std::int64_t from = results > 1 ? request.from + result : request.from, to = results > 1 ? from + 1 : request.to;
    for (const Term<Real>& term : spec.terms) work.add(term, from, to, split.at(group), split.at(group) + split.size(group), squared && term.u->V == 1);
    if (split.count == 1) finish(result, chunk);
  });
  if (split.count > 1) run.parallel(chunks * results, [&](std::int64_t task) { finish(task / chunks, frame.chunks[static_cast<std::size_t>(task % chunks)]); });
}

template void runJoined<float>(const Run&, const OuterSpec<float>&, const MatrixView&, const Request<float>&, bool, bool);
template void runJoined<double>(const Run&, const OuterSpec<double>&, const MatrixView&, const Request<double>&, bool, bool);

}  // namespace gradpack
