#include "../gemm/split.h"
#include "../memory/scratch.h"
#include "panels.h"

namespace gradpack {
namespace {

/// Numbers of u that a task packs: they stay in L2.
constexpr std::int64_t packedSize = 160 << 10;
/// Rows of a chunk: a strip of 128 × 32 floats is 16 kB.
constexpr std::int64_t chunkRows = 128, chunkColumns = 288;
/// Numbers of all groups' sums together.
constexpr std::int64_t mostSums = std::int64_t{1} << 26;

/// The terms of one G (or of one cross request) packed for a chunk and a sample, columns [0, V).
template <class Real> class PackedTerms {
 public:
  PackedTerms(const std::vector<Term<Real>>& terms, std::int64_t V) : terms_(&terms), V_(V) {}

  std::int64_t rowsSize(std::int64_t O) const {
    std::int64_t size = 0;
    for (const Term<Real>& term : *terms_) size += std::min(V_, term.a->V) * term.a->T * O;
    return size;
  }
  std::int64_t columnsSize(std::int64_t padded) const {
    std::int64_t size = 0;
    for (const Term<Real>& term : *terms_) size += std::min(V_, term.u->V) * term.u->T * padded;
    return size;
  }

  void pack(const Run& run, const Tiles<Real>& tiles, const Chunk& chunk, std::int64_t n, Real* rows, Real* columns) {
    rows_ = rows, columns_ = columns;
    padded_ = panelSize(tiles, chunk.J, 1);
    const Split split(chunk.O, tiles.rows);
    for (const Term<Real>& term : *terms_) {
      const std::int64_t T = term.a->T;
      for (std::int64_t v = 0; v < std::min(V_, term.a->V); v++, rows += T * chunk.O)
        for (std::int64_t i = 0; i < split.count; i++) term.a->pack(run, tiles, v, chunk.g, chunk.o + split.at(i), split.size(i), n * T, T, rows + split.at(i) * T, split.size(i));
      for (std::int64_t v = 0; v < std::min(V_, term.u->V); v++, columns += T * padded_) term.u->packPanels(run, tiles, v, chunk.g, chunk.j, chunk.J, n * T, T, columns);
    }
  }

  /// Panel j of G[v], O rows of `width`.
  void strip(const Tiles<Real>& tiles, const Chunk& chunk, std::int64_t v, std::int64_t j, std::int64_t width, Real* out) const {
    const Split split(chunk.O, tiles.rows);
    const Real *rows = rows_, *columns = columns_;
    bool add = false;
    for (const Term<Real>& term : *terms_) {
      const std::int64_t T = term.a->T;
      if (v < term.V) {
        const Real *a = rows + (term.a->V == 1 ? 0 : v) * T * chunk.O, *u = columns + (term.u->V == 1 ? 0 : v) * T * padded_ + j * T;
        for (std::int64_t i = 0; i < split.count; i++)
          (width == tiles.columns ? tiles.wide : tiles.narrow)[split.size(i)](T, a + split.at(i) * T, split.size(i), u, width, out + split.at(i) * width, width, add);
        add = true;
      }
      rows += std::min(V_, term.a->V) * T * chunk.O;
      columns += std::min(V_, term.u->V) * T * padded_;
    }
    if (!add) std::fill_n(out, chunk.O * width, Real(0));
  }

 private:
  const std::vector<Term<Real>>* terms_;
  std::int64_t V_, padded_ = 0;
  Real *rows_ = nullptr, *columns_ = nullptr;
};

}  // namespace

template <class Real> void runStrips(const Run& run, const OuterSpec<Real>& spec, const MatrixView& view, const Reducer<Real>& reducer, double* norms) {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  std::int64_t steps = 1;
  for (const Term<Real>& term : spec.terms) steps = std::max(steps, term.u->T * term.u->V);
  const PanelFrame<Real> frame(tiles, view, chunkRows, std::min(chunkColumns, packedSize / steps));
  const std::int64_t chunks = static_cast<std::int64_t>(frame.chunks.size()), V = spec.columns(), N = spec.N, blocks = reducer.blocks();

  std::int64_t groups = run.threads == 1 ? 1 : std::min<std::int64_t>(N, ceilDivide(4 * run.threads, chunks));
  groups = std::max<std::int64_t>(1, std::min(groups, mostSums / std::max<std::int64_t>(1, blocks * frame.cells)));
  const Split split(N, ceilDivide(N, groups));
  Real* cells = scratch<Real>(Scratch::sharedSums, split.count * blocks * frame.cells);
  std::vector<Sums<Real>> sums;
  std::vector<std::int64_t> ends;
  for (std::int64_t group = 0; group < split.count; group++) {
    sums.push_back({cells + group * blocks * frame.cells, frame.cells, split.at(group)});
    ends.push_back(split.at(group) + split.size(group));
  }
  // each chunk adds to norms of its own, which are joined at the end
  double* partial = norms == nullptr ? nullptr : scratch<double>(Scratch::sharedNorms, chunks * V * N);
  if (partial != nullptr) std::fill_n(partial, chunks * V * N, 0.0);

  run.parallel(chunks * split.count, [&](std::int64_t task) {
    const Chunk& chunk = frame.chunks[static_cast<std::size_t>(task % chunks)];
    const Sums<Real>& own = sums[static_cast<std::size_t>(task / chunks)];
    double* measured = partial == nullptr ? nullptr : partial + task % chunks * V * N;
    for (std::int64_t block = 0; block < blocks; block++) std::fill_n(own.block(block) + chunk.cell, chunk.cells, Real(0));

    // the strip, the strips of cross requests, and temporaries, one after another
    std::vector<PackedTerms<Real>> packed{{spec.terms, V}};
    std::vector<std::size_t> crossOf(reducer.requests().size(), 0);
    for (std::size_t i = 0; i < crossOf.size(); i++) {
      const Request<Real>& request = *reducer.requests()[i].request;
      if (request.form != RequestForm::cross) continue;
      crossOf[i] = packed.size();
      packed.emplace_back(request.cross, request.to - request.from);
    }
    std::int64_t rows = 0, columns = 0;
    const std::int64_t padded = panelSize(tiles, chunk.J, 1), strips = chunk.O * tiles.columns;
    for (const PackedTerms<Real>& terms : packed) rows += terms.rowsSize(chunk.O), columns += terms.columnsSize(padded);
    Real *packedRows = scratch<Real>(Scratch::rows, rows), *packedColumns = scratch<Real>(Scratch::columns, columns);
    Real* strip = scratch<Real>(Scratch::tile, strips * (static_cast<std::int64_t>(packed.size()) + reducer.temporaries()));
    Real* temporary = strip + strips * static_cast<std::int64_t>(packed.size());

    for (std::int64_t n = own.start; n < ends[static_cast<std::size_t>(task / chunks)]; n++) {
      if (!reducer.wants(n)) continue;
      Real *toRows = packedRows, *toColumns = packedColumns;
      for (PackedTerms<Real>& terms : packed) {
        terms.pack(run, tiles, chunk, n, toRows, toColumns);
        toRows += terms.rowsSize(chunk.O), toColumns += terms.columnsSize(padded);
      }
      for (std::int64_t j = 0; j < chunk.J; j += tiles.columns) {
        const std::int64_t width = panelWidth(tiles, chunk.J - j), valid = std::min(width, chunk.J - j);
        for (std::int64_t v = 0; v < V; v++) {
          if (!reducer.wantsColumn(v)) continue;
          packed[0].strip(tiles, chunk, v, j, width, strip);
          reducer.reduce({v, n, strip, chunk.O * width, width, valid, chunk.cell + j * chunk.O}, own, temporary, measured,
                         [&](std::size_t i) {
                           Real* P = strip + strips * static_cast<std::int64_t>(crossOf[i]);
                           packed[crossOf[i]].strip(tiles, chunk, v - reducer.requests()[i].request->from, j, width, P);
                           return P;
                         },
                         [&](const Real* values, Real* row, bool add) { frame.emit(chunk, j, valid, width, values, row, add); });
        }
      }
    }
  });

  for (std::int64_t i = 0; i < V * N && norms != nullptr; i++)
    for (std::int64_t chunk = 0; chunk < chunks; chunk++) norms[i] += partial[chunk * V * N + i];
  if (blocks == 0) return;
  run.parallel(chunks, [&](std::int64_t task) {
    const Chunk& chunk = frame.chunks[static_cast<std::size_t>(task)];
    for (const StripRequest<Real>& r : reducer.requests()) {
      const Request<Real>& request = *r.request;
      if (request.form == RequestForm::norm || !request.sumsSamples()) continue;
      reducer.join(r, sums, ends, chunk.cell, chunk.cell + chunk.cells);
      for (std::int64_t row = 0; row < request.rows(); row++)
        frame.emitChunk(tiles, chunk, sums[0].block(r.block + row) + chunk.cell, run.write<Real>(request.into) + row * request.v, reducer.adds(r));
    }
  });
}

template void runStrips<float>(const Run&, const OuterSpec<float>&, const MatrixView&, const Reducer<float>&, double*);
template void runStrips<double>(const Run&, const OuterSpec<double>&, const MatrixView&, const Reducer<double>&, double*);

}  // namespace gradpack
