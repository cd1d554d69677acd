#include "tiled.h"

#include "../isa/stream.h"
#include "../memory/scratch.h"
#include "long-samples.h"
#include "packed-terms.h"

namespace gradpack {
namespace {

/// Numbers of u that a task packs: they stay in L2.
constexpr std::int64_t packedSize = 160 << 10;
/// Steps of a product that only sums over samples: fewer are joined over several samples.
constexpr std::int64_t joinedSteps = 256;
/// Numbers of all groups' sums together.
constexpr std::int64_t mostSums = std::int64_t{1} << 24;
/// Operations below which waking a thread costs more than it brings.
constexpr double worthSharing = 2e6;
/// Bytes of an individual result from which it goes past the caches: beside the products' arithmetic that is faster even where it would fit L3.
constexpr std::int64_t streamedBytes = 1 << 20;

}  // namespace

template <class Real>
Tiled<Real>::Tiled(const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests, bool replaced)
    : requests_(requests), long_(LongSamples<Real>::applies(spec, requests)), columns_(static_cast<std::size_t>(spec.columns())), frame_([&] {
        if (long_) return LongSamples<Real>::frame(spec);
        const PackedTerms<Real> packed(spec.terms, spec.columns());
        return PanelFrame<Real>(isa<Real>().tiles, *spec.terms[0].view, chunkRows, std::min(chunkColumns, packedSize / (packed.steps() * packed.sets())));
      }()), replaced_(replaced) {
  for (std::size_t i = 0; i < requests_.size(); i++) {
    const Request<Real>& request = spec.requests[requests_[i]];
    const bool placed = !long_ && place(static_cast<int>(i), request);
    fromCells_.push_back(!placed);
    joins_ = joins_ && placed && request.form == RequestForm::plain && request.sumsSamples() && !request.samples;
    measures_ = measures_ || request.form == RequestForm::norm;
    for (std::int64_t v = request.from; v < request.to; v++) {
      Column& column = columns_[static_cast<std::size_t>(v)];
      column.wanted = true;
      column.cells = column.cells || !placed;
    }
  }
  for (const Term<Real>& term : spec.terms) work_ += 2.0 * static_cast<double>(spec.size * term.a->T * spec.N) * static_cast<double>(spec.columns());
}

template <class Real> bool Tiled<Real>::place(int index, const Request<Real>& request) {
  const bool stored = request.form == RequestForm::plain && !request.sumsSamples() && !request.weight && !request.samples && !request.accumulate && replaced_ &&
                      (request.rows() > 1 || request.to - request.from == 1) && frame_.view->regular() && frame_.view->columnStride() == 1;
  const auto slot = [&](Column& column) -> int* {
    switch (request.form) {
      case RequestForm::plain: return stored ? &column.each : &column.sum;
      case RequestForm::square: return &column.square;
      case RequestForm::centred: return request.samples ? nullptr : &column.centred;
      case RequestForm::norm: break;
      case RequestForm::cross: break;
    }
    return nullptr;
  };
  if (request.form == RequestForm::norm) {
    for (std::int64_t v = request.from; v < request.to; v++) columns_[static_cast<std::size_t>(v)].norm = true;
    return true;
  }
  for (std::int64_t v = request.from; v < request.to; v++) {
    const int* free = slot(columns_[static_cast<std::size_t>(v)]);
    if (free == nullptr || *free >= 0) return false;
  }
  for (std::int64_t v = request.from; v < request.to; v++) *slot(columns_[static_cast<std::size_t>(v)]) = index;
  return true;
}

/// One chunk over a range of samples.
template <class Real> class Tiled<Real>::Task {
 public:
  Task(const Tiled& plan, const Run& run, const OuterSpec<Real>& spec, const Reducer<Real>& reducer, const Chunk& chunk, const Sums<Real>& sums, double* norms)
      : plan_(plan), run_(run), reducer_(reducer), chunk_(chunk), sums_(sums), norms_(norms), N_(spec.N), V_(spec.columns()), rows_(chunk.O, isa<Real>().tiles.rows), padded_(panelSize(isa<Real>().tiles, chunk.J, 1)) {
    packed_.emplace_back(spec.terms, V_);
    for (const StripRequest<Real>& r : reducer.requests()) {
      crossOf_.push_back(packed_.size());
      if (r.request->form == RequestForm::cross) packed_.emplace_back(r.request->cross, r.request->to - r.request->from);
      streams_.push_back(streams(r));
    }
  }

  /// Samples [from, to), `joined` at a time.
  void run(std::int64_t from, std::int64_t to, std::int64_t joined) {
    const std::int64_t most = rows_.size(0), cells = most * tiles_.columns;
    std::int64_t columns = 0, rows = 0;
    for (const PackedTerms<Real>& terms : packed_) columns += terms.columnsSize(padded_, joined), rows += terms.rowsSize(most, joined);
    Real *packedColumns = scratch<Real>(Scratch::columns, columns), *packedRows = scratch<Real>(Scratch::rows, rows);
    // cells of G, of sums and squares that belong to one sample, of the reducer's temporaries and of cross terms; partial norms
    G_ = scratch<Real>(Scratch::tile, cells * (3 + reducer_.temporaries() + static_cast<std::int64_t>(packed_.size())) + V_ * isa<Real>().outer.lanes);
    ownSum_ = G_ + cells, ownSquare_ = ownSum_ + cells, temporary_ = ownSquare_ + cells, cross_ = temporary_ + cells * reducer_.temporaries();
    measured_ = cross_ + cells * static_cast<std::int64_t>(packed_.size());
    const Split steps(to - from, joined);
    for (std::int64_t s = 0; s < steps.count; s++) {
      const std::int64_t n = from + steps.at(s), count = steps.size(s);
      if (joined == 1 && !reducer_.wants(n)) continue;
      Real* next = packedColumns;
      for (PackedTerms<Real>& terms : packed_) {
        terms.packColumns(run_, tiles_, chunk_, n, count, next);
        next += terms.columnsSize(padded_, count);
      }
      for (std::int64_t i = 0; i < rows_.count; i++) {
        const std::int64_t o = rows_.at(i), m = rows_.size(i);
        next = packedRows;
        for (PackedTerms<Real>& terms : packed_) {
          terms.packRows(run_, tiles_, chunk_, o, m, n, next);
          next += terms.rowsSize(m, count);
        }
        if (plan_.joins_) weigh(n);
        const std::int64_t after = (i + 1) % rows_.count;
        packed_[0].prefetch(run_, chunk_, rows_.at(after), rows_.size(after), after == 0 ? n + count : n, n + count, i, rows_.count);
        if (norms_ != nullptr) std::fill_n(measured_, V_ * lanes_, Real(0));
        for (std::int64_t j = 0; j < chunk_.J; j += tiles_.columns) panel(n, o, m, j);
        for (std::int64_t v = 0; v < V_ && norms_ != nullptr; v++)
          for (int lane = 0; lane < lanes_; lane++) norms_[v * N_ + n] += static_cast<double>(measured_[v * lanes_ + lane]);
      }
    }
    streamFence();
  }

 private:
  /// Whether an individual result goes past the caches: its rows are then cut by whole lines only.
  bool streams(const StripRequest<Real>& r) const {
    const Request<Real>& request = *r.request;
    const MatrixView& view = *plan_.frame_.view;
    constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(Real));
    const auto whole = [](std::int64_t stride) { return stride % line == 0; };
    return reinterpret_cast<std::uintptr_t>(run_.write<Real>(request.into)) % 64 == 0 && whole(request.v) && whole(request.n) && whole(view.g) && whole(view.o) && whole(view.columns()) &&
           request.count * request.rows() * view.entries() * static_cast<std::int64_t>(sizeof(Real)) >= streamedBytes;
  }

  /// Where samples are joined their weights go into the packed rows.
  void weigh(std::int64_t n) {
    for (std::int64_t v = 0; v < V_; v++) {
      const int index = plan_.columns_[static_cast<std::size_t>(v)].sum;
      if (index < 0 || !request(index).samples.weighted()) continue;
      packed_[0].eachSample(v, [&](std::int64_t sample, Real* rows, std::int64_t count) {
        const Real w = request(index).samples.weight(v, n + sample);
        for (std::int64_t e = 0; e < count; e++) rows[e] *= w;
      });
    }
  }

  /// The tiles of all columns v at rows o … and the panel that begins at column j.
  void panel(std::int64_t n, std::int64_t o, std::int64_t m, std::int64_t j) {
    const std::int64_t width = panelWidth(tiles_, chunk_.J - j), valid = std::min(width, chunk_.J - j), cell = j * chunk_.O + o * width, count = m * width;
    const OuterTile<Real> tile = (width == tiles_.columns ? isa<Real>().outer.wide : isa<Real>().outer.narrow)[m];
    for (std::int64_t v = 0; v < V_; v++) {
      const Column& column = plan_.columns_[static_cast<std::size_t>(v)];
      if (!column.wanted) continue;
      TileReductions<Real> out;
      if (column.sum >= 0) out.sum = sumsOf(request(column.sum), v, n, cell, count, ownSum_, out.sumWeight);
      if (column.square >= 0) out.square = sumsOf(request(column.square), v, n, cell, count, ownSquare_, out.squareWeight);
      if (column.centred >= 0) {
        out.mean = sums_.block(request(column.centred).block) + cell;
        out.spread = sums_.block(request(column.centred).block + 1) + cell;
        out.share = Real(1) / static_cast<Real>(n - sums_.start + 1);
      }
      // beyond the matrix a panel holds zeros, whose product with an infinite number must not be counted
      if (column.norm && valid == width) out.norm = measured_ + v * lanes_;
      if (column.cells || (column.norm && valid < width)) out.cells = G_;
      if (column.each >= 0) {
        const Request<Real>& each = *request(column.each).request;
        out.each = run_.write<Real>(each.into) + (v - each.from) * each.v + n * each.n + plan_.frame_.view->at(chunk_.g, chunk_.o + o, chunk_.j + j);
        out.stride = plan_.frame_.view->o;
        out.valid = static_cast<int>(valid);
        out.stream = valid == width && streams_[static_cast<std::size_t>(column.each)];
      }
      tile(packed_[0].steps(v), packed_[0].rows(v), m, packed_[0].panel(v, j), width, out);
      for (std::int64_t row = 0; row < count && column.norm && valid < width; row += width) norms_[v * N_ + n] += static_cast<double>(isa<Real>().elementwise.sumOfSquares(G_ + row, valid));
      if (column.sum >= 0) emitOwn(request(column.sum), v, n, o, m, j, ownSum_);
      if (column.square >= 0) emitOwn(request(column.square), v, n, o, m, j, ownSquare_);
      if (column.cells)
        reducer_.reduce({v, n, G_, count, width, valid, cell}, sums_, temporary_, norms_,
                        [&](std::size_t i) {
                          const PackedTerms<Real>& terms = packed_[crossOf_[i]];
                          const std::int64_t w = v - request(static_cast<int>(i)).request->from;
                          TileReductions<Real> cells;
                          cells.cells = cross_;
                          tile(terms.steps(w), terms.rows(w), m, terms.panel(w, j), width, cells);
                          return cross_;
                        },
                        [&](const Real* values, Real* row, bool add) { plan_.frame_.emit(chunk_, o, m, j, valid, width, values, row, add); });
    }
  }

  const StripRequest<Real>& request(int index) const { return reducer_.requests()[static_cast<std::size_t>(index)]; }

  /// The cells that a plain or square request adds to, and by which weight; `own` (cleared at its first column) where they belong to one sample.
  Real* sumsOf(const StripRequest<Real>& r, std::int64_t v, std::int64_t n, std::int64_t cell, std::int64_t count, Real* own, Real& weight) const {
    const Request<Real>& request = *r.request;
    const std::int64_t times = r.samples.times(n);
    if (times == 0) return nullptr;
    weight = plan_.joins_ ? Real(1) : r.samples.weight(v, n);
    if (!request.sumsSamples()) {
      if (v == request.from || !request.sumsColumns()) std::fill_n(own, count, Real(0));
      return own;
    }
    weight *= static_cast<Real>(times);
    return sums_.block(r.block + (request.rows() > 1 ? v - request.from : 0)) + cell;
  }

  /// One sample's sum over columns, once its last column was added.
  void emitOwn(const StripRequest<Real>& r, std::int64_t v, std::int64_t n, std::int64_t o, std::int64_t m, std::int64_t j, const Real* own) const {
    const Request<Real>& request = *r.request;
    if (request.sumsSamples() || (request.sumsColumns() && v + 1 < request.to)) return;
    const std::int64_t width = panelWidth(tiles_, chunk_.J - j);
    for (std::int64_t i = 0; i < r.samples.times(n); i++)
      plan_.frame_.emit(chunk_, o, m, j, std::min(width, chunk_.J - j), width, own, run_.write<Real>(request.into) + (v - request.from) * request.v + r.samples.row(n, i) * request.n, reducer_.adds(r));
  }

  const Tiled& plan_;
  const Run& run_;
  const Reducer<Real>& reducer_;
  const Chunk& chunk_;
  const Sums<Real>& sums_;
  double* norms_;
  std::int64_t N_, V_;
  const Tiles<Real>& tiles_ = isa<Real>().tiles;
  const int lanes_ = isa<Real>().outer.lanes;
  Split rows_;
  std::int64_t padded_;
  /// Of G, then of each cross request; which of them belongs to a request.
  std::vector<PackedTerms<Real>> packed_;
  std::vector<std::size_t> crossOf_;
  std::vector<bool> streams_;
  Real *G_ = nullptr, *ownSum_ = nullptr, *ownSquare_ = nullptr, *temporary_ = nullptr, *cross_ = nullptr, *measured_ = nullptr;
};

template <class Real> void Tiled<Real>::run(const Run& run, const OuterSpec<Real>& spec) const {
  if (requests_.empty()) return;
  const Tiles<Real>& tiles = isa<Real>().tiles;
  const Reducer<Real> reducer(run, spec, requests_, replaced_, fromCells_);
  const std::int64_t chunks = static_cast<std::int64_t>(frame_.chunks.size()), V = spec.columns(), N = spec.N, blocks = reducer.blocks();
  const Run own{run.base, work_ < worthSharing ? 1 : run.threads};
  // at least four tasks a thread, as far as memory for their sums goes
  const std::int64_t wanted = std::max(own.threads == 1 ? 1 : ceilDivide(4 * own.threads, chunks), ceilDivide(N, samplesOfSum)), most = mostSums / std::max<std::int64_t>(1, blocks * frame_.cells);
  const Split groups(N, ceilDivide(N, std::clamp<std::int64_t>(std::min(wanted, most), 1, N)));
  const std::int64_t steps = PackedTerms<Real>(spec.terms, V).steps(), joined = joins_ ? std::clamp<std::int64_t>(joinedSteps / steps, 1, groups.size(0)) : 1;

  // with one group a chunk's sums are done when its task is, and belong to the thread
  Real* shared = groups.count == 1 ? nullptr : scratch<Real>(Scratch::sharedSums, groups.count * blocks * frame_.cells);
  const auto sumsOf = [&](std::int64_t group, const Chunk& chunk) -> Sums<Real> {
    Real* cells = shared != nullptr ? shared + blocks * (group * frame_.cells + chunk.cell) : scratch<Real>(Scratch::sums, blocks * chunk.cells);
    return {cells, chunk.cells, groups.at(group)};
  };
  const auto finish = [&](const Chunk& chunk) {
    std::vector<Sums<Real>> sums;
    std::vector<std::int64_t> ends;
    for (std::int64_t group = 0; group < groups.count; group++) {
      sums.push_back(sumsOf(group, chunk));
      ends.push_back(groups.at(group) + groups.size(group));
    }
    for (const StripRequest<Real>& r : reducer.requests()) {
      const Request<Real>& request = *r.request;
      if (request.form == RequestForm::norm || !request.sumsSamples()) continue;
      reducer.join(r, sums, ends, 0, chunk.cells);
      for (std::int64_t row = 0; row < request.rows(); row++) frame_.emitChunk(tiles, chunk, sums[0].block(r.block + row), run.write<Real>(request.into) + row * request.v, reducer.adds(r));
    }
  };
  // each chunk adds to norms of its own, which are joined at the end
  double* norms = measures_ ? scratch<double>(Scratch::sharedNorms, chunks * V * N) : nullptr;
  if (norms != nullptr) std::fill_n(norms, chunks * V * N, 0.0);

  own.parallel(chunks * groups.count, [&](std::int64_t task) {
    const std::int64_t group = task / chunks;
    const Chunk& chunk = frame_.chunks[static_cast<std::size_t>(task % chunks)];
    const Sums<Real> sums = sumsOf(group, chunk);
    double* ownNorms = norms == nullptr ? nullptr : norms + task % chunks * V * N;
    const std::int64_t from = groups.at(group), to = from + groups.size(group);
    std::fill_n(sums.cells, blocks * sums.perBlock, Real(0));
    if (long_) LongSamples<Real>(run, spec, reducer, frame_, chunk).run(from, to, sums, ownNorms);
    else Task(*this, run, spec, reducer, chunk, sums, ownNorms).run(from, to, joined);
    if (groups.count == 1) finish(chunk);
  });
  if (groups.count > 1 && blocks > 0) own.parallel(chunks, [&](std::int64_t task) { finish(frame_.chunks[static_cast<std::size_t>(task)]); });

  if (norms == nullptr) return;
  for (std::int64_t chunk = 1; chunk < chunks; chunk++)
    for (std::int64_t i = 0; i < V * N; i++) norms[i] += norms[chunk * V * N + i];
  for (const StripRequest<Real>& r : reducer.requests())
    if (r.request->form == RequestForm::norm) writeNorms(run, *r.request, r.samples, N, norms);
}

template class Tiled<float>;
template class Tiled<double>;

}  // namespace gradpack
