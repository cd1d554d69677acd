#include "filtered.h"

#include "../gemm/pack.h"
#include "../isa/stream.h"
#include "../memory/scratch.h"

namespace gradpack {
namespace {

/// Bytes of the factors at the points that are at hand together, for each thread and at most: they stay in the caches while all blocks use
/// them (with four times as much outer products of 3c3d take a tenth longer on Zen 5).
constexpr std::int64_t threadBytes = 1 << 20, mostBytes = 8 << 20;
/// Tiles of a sample that are worth a batch: with fewer its products are loaded and stored too often.
constexpr std::int64_t leastTiles = 64;
/// Most numbers of factors or of products that belong together.
constexpr std::int64_t mostNumbers = 8 << 20;
/// Bytes of individual results from which they go past the caches.
constexpr std::int64_t streamedBytes = 1 << 20;

/// Whether all is one sum over columns and samples.
template <class Real> bool sumsAll(const OuterSpec<Real>& spec) {
  if (spec.requests.size() != 1) return false;
  const Request<Real>& request = spec.requests[0];
  return request.form == RequestForm::plain && request.sumsSamples() && request.sumsColumns() && request.from == 0 && !request.weight && !request.samples;
}

/// Whether individual results are summed over columns, so that all of a sample's must be at hand together.
template <class Real> bool gathersColumns(const OuterSpec<Real>& spec) {
  return std::any_of(spec.requests.begin(), spec.requests.end(), [](const Request<Real>& request) { return request.form != RequestForm::norm && !request.sumsSamples() && request.sumsColumns() && request.to - request.from > 1; });
}

/// Numbers of a sample's factors at the points of some tiles, and of its products, for `columns` columns.
template <class Real> std::int64_t pointsOf(const Term<Real>& term, std::int64_t tiles, std::int64_t columns) {
  return tilePoints * tiles * term.view->G * (term.view->O * columns + term.view->C * (term.u->V > 1 ? columns : 1));
}
template <class Real> std::int64_t productsOf(const Term<Real>& term, std::int64_t columns) { return tilePoints * term.view->G * term.view->O * term.view->C * columns; }

/// Rows of tiles below which a sample is not cut.
std::int64_t leastRows(const Tiling& tiling) { return std::min<std::int64_t>(tiling.tiles[0], ceilDivide(leastTiles, tiling.tiles[1])); }

/// What is at the points together: `batch` pairs of columns and samples, and of each a part of its `rows` of tiles. Of a `unit` of pairs
/// all parts are taken before those of the next. `together`: columns of a sample that cannot be separated.
struct Batches {
  template <class Real> Batches(const Term<Real>& term, const Tiling& tiling, std::int64_t V, std::int64_t N, std::int64_t together, bool joins, int threads) : rows(tiling.tiles[0], tiling.tiles[0]), unit(V * N) {
    // products that batches add to are not more than the factors
    const std::int64_t fitting = std::max(std::min(threads * threadBytes, mostBytes) / static_cast<std::int64_t>(sizeof(Real)), joins ? std::min(productsOf(term, 1), mostNumbers) : 0);
    if (pointsOf(term, tiling.count(), together) > fitting && productsOf(term, together) <= mostNumbers) rows = Split(tiling.tiles[0], std::max<std::int64_t>(fitting / pointsOf(term, tiling.tiles[1], together), leastRows(tiling)));
    if (rows.count > 1) {
      // all columns that share u follow one another
      unit = term.u->V == 1 && productsOf(term, V) <= mostNumbers ? V : together;
      batch = together;
    } else {
      batch = std::clamp<std::int64_t>(V * fitting / pointsOf(term, tiling.count(), V) / together * together, together, V * N);
    }
  }

  Split rows;
  std::int64_t unit, batch;
};

template <class Real> TilePoints<Real> left(const Tiling& tiling, const Window& window) {
  const auto& passes = isa<Real>().winograd.weight;
  return {tiling, window.output(), {0, 0}, tiling.tile, {passes[tiling.tile[0]], passes[tiling.tile[1]]}};
}
template <class Real> TilePoints<Real> right(const Tiling& tiling, const Window& window) {
  const auto pass = isa<Real>().winograd.input;
  return {tiling, window.input(), window.low(), {winogradPoints, winogradPoints}, {pass, pass}};
}

}  // namespace

template <class Real> bool Filtered<Real>::pays(const OuterSpec<Real>& spec) {
  if (spec.terms.size() != 1 || spec.terms[0].kind != TermKind::matrix) return false;
  const Term<Real>& term = spec.terms[0];
  const MatrixView& view = *term.view;
  // beyond its columns a term is 0
  if (spec.columns() > term.V) return false;
  if (!term.u->window() || !isFilterable(*term.u->window()) || term.u->window()->offsets() != view.K || !term.a->alongPositions() || view.C % isa<Real>().winograd.width != 0) return false;
  for (const Request<Real>& request : spec.requests)
    if (request.form == RequestForm::cross) return false;
  const Window& window = *term.u->window();
  const Tiling tiling(window.kernel(), window.output());
  const double tiles = static_cast<double>(tiling.count()), O = static_cast<double>(view.O), C = static_cast<double>(view.C), K = static_cast<double>(view.K);
  const std::int64_t together = gathersColumns(spec) ? spec.columns() : 1, least = pointsOf(term, leastRows(tiling) * tiling.tiles[1], together);
  if (pointsOf(term, tiling.count(), together) > mostNumbers && std::max(least, productsOf(term, together)) > mostNumbers) return false;
  // multiplications for each entry (o, c) of a sample: a point of a channel of a tile costs as much as 10 to transform, an offset back as much as 10
  const double direct = K * static_cast<double>(window.outputs()), filtered = tilePoints * tiles * (1 + 10 * (1 / O + 1 / C)) + (sumsAll(spec) ? 0 : 10 * (K + 6));
  return filtered < 0.8 * direct;
}

template <class Real>
Filtered<Real>::Filtered(const OuterSpec<Real>& spec, bool replaced)
    : replaced_(replaced), tiling_(spec.terms[0].u->window()->kernel(), spec.terms[0].u->window()->output()), left_(left<Real>(tiling_, *spec.terms[0].u->window())), right_(right<Real>(tiling_, *spec.terms[0].u->window())),
      rows_(spec.terms[0].view->O, std::min<std::int64_t>(isa<Real>().tiles.rows, isa<Real>().winograd.width)), joins_(sumsAll(spec)) {
  const MatrixView& view = *spec.terms[0].view;
  const std::int64_t wide = isa<Real>().tiles.columns;
  for (std::int64_t g = 0; g < view.G; g++)
    for (std::int64_t i = 0; i < rows_.count; i++)
      for (std::int64_t c = 0; c < view.C; c += wide) blocks_.push_back({g, i, rows_.at(i), rows_.size(i), c / wide, c, std::min(wide, view.C - c)});
  for (const Request<Real>& request : spec.requests) measures_ = measures_ || request.form == RequestForm::norm;
}

/// All blocks over a batch: some rows of tiles of a range of pairs (n, v), v fastest.
template <class Real> class Filtered<Real>::Task {
 public:
  Task(const Filtered& plan, const Run& run, const OuterSpec<Real>& spec, const Reducer<Real>& reducer)
      : plan_(plan), run_(run), reducer_(reducer), term_(spec.terms[0]), view_(*term_.view), V_(spec.columns()), N_(spec.N), panels_(ceilDivide(view_.C, tiles_.columns)) {}

  /// Brings rows [row, row + rows) of tiles of the factors of pairs [from, to) to the points; u's stay where other columns had them.
  void transform(std::int64_t from, std::int64_t to, std::int64_t row, std::int64_t rows) {
    const std::int64_t firstSet = setOf(from), sets = setOf(to - 1) - firstSet + 1;
    const bool hasRight = firstSet == firstSet_ && sets == sets_ && row == row_ && rows == rows_;
    from_ = from, to_ = to, firstSet_ = firstSet, sets_ = sets, row_ = row, rows_ = rows, T_ = rows * plan_.tiling_.tiles[1];
    leftApart_ = pointsApart<Real>((to - from) * T_ * plan_.rows_.size(0) + W_), rightApart_ = pointsApart<Real>(sets_ * T_ * tiles_.columns);
    left_ = scratch<Real>(Scratch::sharedLeft, view_.G * plan_.rows_.count * tilePoints * leftApart_), right_ = scratch<Real>(Scratch::sharedRight, view_.G * panels_ * tilePoints * rightApart_);
    const std::int64_t lefts = view_.G * plan_.rows_.count;
    // a vector may write beyond its tile: the next tile overwrites that, since a task takes tiles and pairs in order, and after the last
    // one there are W numbers to spare
    run_.parallel(lefts + (hasRight ? 0 : view_.G * panels_), [&](std::int64_t task) {
      if (task < lefts) {
        const std::int64_t g = task / plan_.rows_.count, i = task % plan_.rows_.count, m = plan_.rows_.size(i);
        for (std::int64_t pair = from; pair < to; pair++)
          plan_.left_.transform(term_.a->at(run_, pair % V_, pair / V_, g) + plan_.rows_.at(i) * term_.a->channelStride(), term_.a->channelStride(), m, row, rows, leftOf(g, i, m, pair), leftApart_, [m](std::int64_t t, std::int64_t c) { return t * m + c; });
        return;
      }
      const std::int64_t g = (task - lefts) / panels_, j = (task - lefts) % panels_, c = j * tiles_.columns, w = std::min<std::int64_t>(tiles_.columns, view_.C - c), stride = term_.u->channelStride();
      for (std::int64_t set = firstSet_; set < firstSet_ + sets_; set++)
        plan_.right_.transform(term_.u->at(run_, perColumn() ? set % V_ : 0, perColumn() ? set / V_ : set, g) + c * stride, stride, w, row, rows, rightOf(g, j, w, set), rightApart_, [w](std::int64_t t, std::int64_t channel) { return t * w + channel; });
    });
  }

  /// One block over the batch. `kept`: its products [pair of the batch, or one for all that are summed][points], where batches add to them.
  void reduce(const Block& block, const Sums<Real>& sums, double* norms, Real* kept) const {
    const std::int64_t count = block.m * block.w * view_.K;
    Real *G = scratch<Real>(Scratch::tile, count * (1 + reducer_.temporaries())), *products = kept == nullptr ? scratch<Real>(Scratch::product, productsSize()) : kept;
    if (plan_.joins_) {
      const bool whole = V_ == 1;
      for (std::int64_t pair = from_; pair < to_; pair += whole ? to_ - from_ : 1) multiply(block, pair, whole ? to_ - from_ : 1, products, pair > 0 || row_ > 0);
      if (!ends()) return;
      back(block, products, G);
      isa<Real>().elementwise.addScaled(1, G, sums.block(0), count);
      return;
    }
    const bool streams = N_ * view_.entries() * static_cast<std::int64_t>(sizeof(Real)) >= streamedBytes;
    for (std::int64_t pair = from_; pair < to_; pair++) {
      if (!reducer_.wants(pair / V_) || !reducer_.wantsColumn(pair % V_)) continue;
      Real* own = kept == nullptr ? products : products + (pair - from_) * productsSize();
      multiply(block, pair, 1, own, row_ > 0);
      if (!completes()) continue;
      back(block, own, G);
      reducer_.reduce({pair % V_, pair / V_, G, count, count, count, 0}, sums, G + count, norms, [](std::size_t) -> const Real* { return nullptr; },
                      [&](const Real* values, Real* row, bool add) { emit(block, values, row, add, streams); });
    }
    streamFence();
  }

  /// What is summed over samples, into the results.
  void finish(const Block& block, const Sums<Real>& sums) const {
    for (const StripRequest<Real>& r : reducer_.requests()) {
      const Request<Real>& request = *r.request;
      if (request.form == RequestForm::norm || !request.sumsSamples()) continue;
      reducer_.join(r, {sums}, {N_}, 0, block.m * block.w * view_.K);
      for (std::int64_t row = 0; row < request.rows(); row++) emit(block, sums.block(r.block + row), run_.write<Real>(request.into) + row * request.v, reducer_.adds(r), false);
    }
  }

  /// Whether this batch is the last one of all.
  bool ends() const { return completes() && to_ == V_ * N_; }
  /// Numbers of a block's products, which begin with the first point's.
  std::int64_t productsSize() const { return tilePoints * productsApart(); }

 private:
  /// Cells [row][vector of channels][k][lane] of a block into a result whose θ begins at `row`.
  void emit(const Block& block, const Real* cells, Real* row, bool add, bool stream) const {
    alignas(64) Real turned[longestWinograd * longestWinograd * Tiles<Real>::mostColumns / 2];
    const bool straight = view_.k == 1 && view_.c == view_.K && !add;
    const std::int64_t size = view_.K * W_;
    for (std::int64_t r = 0; r < block.m; r++)
      for (std::int64_t c = 0; c < block.w; c += W_, cells += size) {
        Real* to = row + view_.at(block.g, block.o + r, (block.c + c) * view_.K);
        // of a vector of channels there are K whole vectors of numbers
        const bool past = stream && straight && reinterpret_cast<std::uintptr_t>(to) % 64 == 0;
        tiles_.transpose(cells, W_, static_cast<int>(view_.K), W_, straight && !past ? to : turned, view_.K);
        if (past) {
          constexpr Real one = 1;
          isa<Real>().outer.scaledRows(&one, 1, turned, size, to, size, true);
        } else if (!straight) {
          for (std::int64_t lane = 0; lane < W_; lane++)
            for (std::int64_t k = 0; k < view_.K; k++) {
              Real& cell = to[lane * view_.c + k * view_.k];
              cell = add ? cell + turned[lane * view_.K + k] : turned[lane * view_.K + k];
            }
        }
      }
  }

  /// Whether this batch has the last rows of its pairs.
  bool completes() const { return row_ + rows_ == plan_.tiling_.tiles[0]; }
  std::int64_t productsApart() const { return pointsApart<Real>(plan_.rows_.size(0) * tiles_.columns); }
  bool perColumn() const { return term_.u->V > 1; }
  /// Which set of u a pair takes.
  std::int64_t setOf(std::int64_t pair) const { return perColumn() ? pair : pair / V_; }
  Real* leftOf(std::int64_t g, std::int64_t i, std::int64_t m, std::int64_t pair) const { return left_ + (g * plan_.rows_.count + i) * tilePoints * leftApart_ + (pair - from_) * T_ * m; }
  Real* rightOf(std::int64_t g, std::int64_t j, std::int64_t w, std::int64_t set) const { return right_ + (g * panels_ + j) * tilePoints * rightApart_ + (set - firstSet_) * T_ * w; }

  /// [point][row][channel] of pairs [pair, pair + pairs) summed.
  void multiply(const Block& block, std::int64_t pair, std::int64_t pairs, Real* products, bool add) const {
    const Real *a = leftOf(block.g, block.i, block.m, pair), *b = rightOf(block.g, block.j, block.w, setOf(pair));
    const Tile<Real> tile = (block.w == tiles_.columns ? tiles_.wide : tiles_.narrow)[block.m];
    for (int point = 0; point < tilePoints; point++) tile(pairs * T_, a + point * leftApart_, block.m, b + point * rightApart_, block.w, products + point * productsApart(), block.w, add);
  }

  /// From points to cells.
  void back(const Block& block, const Real* products, Real* cells) const {
    constexpr int n = winogradPoints;
    const Shape& tile = plan_.tiling_.tile;
    const auto& passes = isa<Real>().winograd.output;
    const std::int64_t height = n + 1 - tile[0], width = n + 1 - tile[1], apart = productsApart();
    for (std::int64_t i = 0; i < block.m * block.w; i += W_, cells += view_.K * W_) passBothAxes(W_, passes[tile[0]], passes[tile[1]], n, height, products + i, n * apart, apart, cells, width * W_, W_);
  }

  const Filtered& plan_;
  const Run& run_;
  const Reducer<Real>& reducer_;
  const Term<Real>& term_;
  const MatrixView& view_;
  const Tiles<Real>& tiles_ = isa<Real>().tiles;
  const std::int64_t W_ = isa<Real>().winograd.width;
  std::int64_t V_, N_, panels_;
  /// The pairs at hand, the rows of tiles of each and their tiles; the sets of u that these take.
  std::int64_t from_ = 0, to_ = 0, row_ = 0, rows_ = 0, T_ = 0, firstSet_ = 0, sets_ = 0, leftApart_ = 0, rightApart_ = 0;
  Real *left_ = nullptr, *right_ = nullptr;
};

template <class Real> void Filtered<Real>::run(const Run& run, const OuterSpec<Real>& spec) const {
  const Term<Real>& term = spec.terms[0];
  const MatrixView& view = *term.view;
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < spec.requests.size(); i++) all.push_back(i);
  const Reducer<Real> reducer(run, spec, all, replaced_);
  const std::int64_t V = spec.columns(), N = spec.N, pairs = N * V, blocks = static_cast<std::int64_t>(blocks_.size()), cells = rows_.size(0) * isa<Real>().tiles.columns * view.K;
  const Batches batches(term, tiling_, V, N, gathersColumns(spec) ? V : 1, joins_, run.threads);
  Task task(*this, run, spec, reducer);

  Real* sums = scratch<Real>(Scratch::sharedSums, blocks * reducer.blocks() * cells);
  std::fill_n(sums, blocks * reducer.blocks() * cells, Real(0));
  const std::int64_t keptSize = (joins_ ? 1 : batches.unit) * task.productsSize();
  Real* kept = batches.rows.count > 1 || (joins_ && batches.batch < pairs) ? scratch<Real>(Scratch::sharedColumns, blocks * keptSize) : nullptr;
  double* norms = measures_ ? scratch<double>(Scratch::sharedNorms, blocks * V * N) : nullptr;
  if (norms != nullptr) std::fill_n(norms, blocks * V * N, 0.0);
  const auto sumsOf = [&](std::int64_t block) -> Sums<Real> { return {sums + block * reducer.blocks() * cells, cells, 0}; };

  for (std::int64_t first = 0; first < pairs; first += batches.unit)
    for (std::int64_t range = 0; range < batches.rows.count; range++)
      for (std::int64_t pair = first, end = std::min(first + batches.unit, pairs); pair < end; pair += batches.batch) {
        task.transform(pair, std::min(pair + batches.batch, end), batches.rows.at(range), batches.rows.size(range));
        run.parallel(blocks, [&](std::int64_t i) {
          const Block& block = blocks_[static_cast<std::size_t>(i)];
          task.reduce(block, sumsOf(i), norms == nullptr ? nullptr : norms + i * V * N, kept == nullptr ? nullptr : kept + i * keptSize + (joins_ ? 0 : (pair - first) * task.productsSize()));
          if (task.ends()) task.finish(block, sumsOf(i));
        });
      }

  if (norms == nullptr) return;
  for (std::int64_t block = 1; block < blocks; block++)
    for (std::int64_t i = 0; i < V * N; i++) norms[i] += norms[block * V * N + i];
  for (const StripRequest<Real>& r : reducer.requests())
    if (r.request->form == RequestForm::norm) writeNorms(run, *r.request, r.samples, N, norms);
}

template class Filtered<float>;
template class Filtered<double>;

}  // namespace gradpack
