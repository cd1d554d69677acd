#include "rank-one.h"

#include "../gemm/blocked.h"
#include "../isa/stream.h"

namespace gradpack {
namespace {

/// Bytes of an individual result from which it goes past the caches.
constexpr std::int64_t streamedBytes = 4 << 20;
/// Numbers that a task makes or reads, so that waking a thread pays.
constexpr std::int64_t taskSize = 32768;

/// Rows [R, F] of one position, `stride` apart.
template <class Real> struct Rows {
  const Real* p;
  std::int64_t stride;
  const Real* operator[](std::int64_t n) const { return p + n * stride; }
};

}  // namespace

template <class Real> bool RankOne<Real>::take(const Term<Real>& term, const Request<Real>& request) {
  switch (request.form) {
    case RequestForm::norm: norms_.push_back(&request); return true;
    case RequestForm::centred:
      if (request.from >= term.V) return false;
      centred_.push_back(&request);
      return true;
    case RequestForm::cross: return false;
    case RequestForm::plain:
    case RequestForm::square: break;
  }
  if (request.sumsSamples()) {
    sums_.push_back(&request);
    return true;
  }
  // a sum over columns is of rank one only where they share u
  if (term.u->V > 1 && request.sumsColumns() && request.to - request.from > 1) return false;
  individuals_.push_back(&request);
  return true;
}

template <class Real> class RankOne<Real>::Work {
 public:
  Work(const Run& run, const OuterSpec<Real>& spec, bool replaced)
      : run_(run), term_(spec.terms[0]), view_(*term_.view), N_(spec.N), O_(view_.O), I_(view_.columns()), replaced_(replaced) {}

  /// `Σ w G` or `Σ w G²` over the samples: the columns are summed before the product where they share u.
  void sum(const Request<Real>& request) const {
    const Samples<Real> samples(run_, request, N_);
    const bool squared = request.form == RequestForm::square, early = term_.u->V == 1;
    for (std::int64_t g = 0; g < view_.G; g++)
      for (std::int64_t row = 0; row < request.rows(); row++) {
        const std::int64_t first = request.from + row, last = request.rows() > 1 ? first + 1 : request.to;
        Target<Real> to = target(request, g, row);
        for (std::int64_t v = first; v < last; v = early ? last : v + 1, to.add = true) {
          const Rows<Real> a = left(samples, squared, v, early ? last : v + 1, g);
          Rows<Real> u = rowsOf(*term_.u, v, g, Scratch::sharedRight);
          if (squared) u = squares(u);
          multiply<Real>(run_.threads, O_, I_, N_, Real(1), {a.p, 1, a.stride}, {u.p, u.stride, 1}, to);
        }
      }
  }

  /// ‖a‖² ‖u‖² of all columns and samples.
  void norms(std::int64_t V, double* norms) const {
    run_.parallelRanges(V * N_, 1 + taskSize / (O_ + I_), [&](std::int64_t from, std::int64_t to) {
      Real* line = scratch<Real>(Scratch::tile, std::max(O_, I_));
      const auto square = [&](const Factor<Real>& factor, std::int64_t v, std::int64_t n, std::int64_t g) {
        return static_cast<double>(isa<Real>().elementwise.sumOfSquares(factor.position(run_, v, n, g, 0, line), factor.F));
      };
      for (std::int64_t i = from; i < to; i++) {
        const std::int64_t v = i / N_, n = i % N_;
        norms[i] = 0;
        for (std::int64_t g = 0; g < view_.G && v < term_.V; g++) norms[i] += square(*term_.a, v, n, g) * square(*term_.u, v, n, g);
      }
    });
  }

  /// Each sample's `w G` or `w G²`: rows of the factor that runs along the result's rows, scaled by the other.
  void individual(const Request<Real>& request) const {
    const Samples<Real> samples(run_, request, N_);
    const bool squared = request.form == RequestForm::square, add = request.accumulate || !replaced_, across = view_.columnStride() != 1 && view_.o == 1;
    const std::int64_t rows = across ? I_ : O_, columns = across ? O_ : I_, rowStride = across ? view_.columnStride() : view_.o, columnStride = across ? view_.o : view_.columnStride();
    const bool streamed = !add && streams(request, columns, rowStride);
    const std::int64_t bands = std::clamp<std::int64_t>(rows * columns / (2 * taskSize), 1, rows), each = ceilDivide(rows, bands);
    const auto task = [&](std::int64_t row, std::int64_t n, std::int64_t from, std::int64_t to) {
      if (samples.times(n) == 0) return;
      const std::int64_t first = request.from + row, last = request.rows() > 1 ? first + 1 : request.to;
      Real *lines = scratch<Real>(Scratch::tile, 3 * (O_ + I_)), *spare = lines + O_ + I_;
      for (std::int64_t g = 0; g < view_.G; g++) {
        const Real *a = combined(samples, squared, first, last, n, g, lines, spare), *u = single(*term_.u, squared, first, n, g, lines + O_, spare);
        const Real *scales = across ? u : a, *line = across ? a : u;
        for (std::int64_t i = 0; i < samples.times(n); i++) {
          Real* out = run_.write<Real>(request.into) + row * request.v + samples.row(n, i) * request.n + g * view_.g + from * rowStride;
          if (!add && columnStride == 1) isa<Real>().outer.scaledRows(scales + from, to - from, line, columns, out, rowStride, streamed);
          else
            for (std::int64_t r = from; r < to; r++, out += rowStride)
              for (std::int64_t c = 0; c < columns; c++) out[c * columnStride] = add ? out[c * columnStride] + scales[r] * line[c] : scales[r] * line[c];
        }
      }
      if (streamed) streamFence();
    };
    const Split cuts(rows, each);
    const Run own{run_.base, request.rows() * N_ * rows * columns < taskSize ? 1 : run_.threads};
    own.parallel(request.rows() * N_ * cuts.count, [&](std::int64_t i) {
      const std::int64_t cut = i % cuts.count, n = i / cuts.count % N_;
      task(i / cuts.count / N_, n, cuts.at(cut), cuts.at(cut) + cuts.size(cut));
    });
  }

  /// The variance of G over the samples; beside it their `plain` sum, which is made on the way.
  void centred(const Request<Real>& request, const Request<Real>* plain) const {
    const Tiles<Real>& tiles = isa<Real>().tiles;
    const OuterTiles<Real>& outer = isa<Real>().outer;
    const Samples<Real> samples(run_, request, N_);
    const std::int64_t count = samples.before(N_), padded = panelSize(tiles, I_, 1), group = 4 * tiles.columns;
    Real* panels = scratch<Real>(Scratch::sharedColumns, count * padded);
    const Split bands(O_, 4 * outer.spreadRows);
    const Split parts(std::max<std::int64_t>(1, count), samplesOfSum);
    const Real share = Real(1) / static_cast<Real>(std::max<std::int64_t>(1, count));
    for (std::int64_t g = 0; g < view_.G; g++) {
      const Matrix<Real> a = listed(samples, rowsOf(*term_.a, request.from, g, Scratch::sharedLeft), O_, Scratch::sharedLeftList);
      const Matrix<Real> u = listed(samples, rowsOf(*term_.u, request.from, g, Scratch::sharedRight), I_, Scratch::sharedRightList);
      run_.parallel(ceilDivide(I_, group), [&](std::int64_t p) { packColumns(tiles, u.at(0, p * group), count, std::min(group, I_ - p * group), panels + p * group * count); });
      const Target<Real> to = target(request, g, 0);
      run_.parallel(bands.count, [&](std::int64_t band) {
        const Split rows(bands.size(band), outer.spreadRows);
        Real* packed = scratch<Real>(Scratch::rows, count * outer.spreadRows);
        const std::int64_t cells = outer.spreadRows * tiles.columns;
        Real *sum = scratch<Real>(Scratch::tile, 2 * cells), *spread = sum + cells;
        double *total = scratch<double>(Scratch::product, 2 * cells), *spreads = total + cells;
        for (std::int64_t i = 0; i < rows.count; i++) {
          const std::int64_t o = bands.at(band) + rows.at(i), m = rows.size(i);
          packSteps(tiles, a.transposed().at(o, 0), m, count, packed, m);
          for (std::int64_t j = 0; j < I_; j += tiles.columns) {
            const std::int64_t width = panelWidth(tiles, I_ - j), valid = std::min(width, I_ - j);
            const SpreadTile<Real> tile = (width == tiles.columns ? outer.spreadWide : outer.spreadNarrow)[m];
            const Real* panel = panels + j * count;
            if (parts.count == 1) tile(count, packed, m, panel, width, share, sum, spread);
            else {
              std::fill_n(total, 2 * cells, 0.0);
              for (std::int64_t part = 0; part < parts.count; part++) {
                const std::int64_t from = parts.at(part), size = parts.size(part);
                tile(size, packed + from * m, m, panel + from * width, width, Real(1) / static_cast<Real>(size), sum, spread);
                joinPart(from, size, m * width, sum, spread, total, spreads);
              }
              std::copy_n(total, m * width, sum), std::copy_n(spreads, m * width, spread);
            }
            put(spread, m, width, valid, share, to.at(o, j));
            if (plain != nullptr) put(sum, m, width, valid, Real(1), target(*plain, g, 0).at(o, j));
          }
        }
      });
    }
  }

 private:
  Target<Real> target(const Request<Real>& request, std::int64_t g, std::int64_t row) const {
    return {run_.write<Real>(request.into) + row * request.v + g * view_.g, view_.o, view_.columnStride(), request.accumulate || !replaced_};
  }

  /// Total and spread of the first `seen` samples joined by those of `more` others (T. Chan, G. Golub, R. LeVeque, 1979).
  static void joinPart(std::int64_t seen, std::int64_t more, std::int64_t count, const Real* sum, const Real* spread, double* total, double* spreads) {
    const double before = static_cast<double>(seen), now = static_cast<double>(more), weight = seen == 0 ? 0 : before * now / (before + now);
    for (std::int64_t i = 0; i < count; i++) {
      const double own = static_cast<double>(sum[i]), d = own / now - (seen == 0 ? 0 : total[i] / before);
      spreads[i] += static_cast<double>(spread[i]) + d * d * weight;
      total[i] += own;
    }
  }

  static void put(const Real* cells, std::int64_t m, std::int64_t width, std::int64_t valid, Real by, const Target<Real>& to) {
    for (std::int64_t r = 0; r < m; r++, cells += width) {
      Real* row = to.p + r * to.rowStride;
      for (std::int64_t c = 0; c < valid; c++) row[c * to.columnStride] = to.add ? row[c * to.columnStride] + by * cells[c] : by * cells[c];
    }
  }

  /// Whether rows of `columns` numbers go past the caches: they must be whole lines.
  bool streams(const Request<Real>& request, std::int64_t columns, std::int64_t rowStride) const {
    constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(Real));
    const auto whole = [](std::int64_t stride) { return stride % line == 0; };
    return reinterpret_cast<std::uintptr_t>(run_.write<Real>(request.into)) % 64 == 0 && whole(request.v) && whole(request.n) && whole(view_.g) && whole(rowStride) && whole(columns) &&
           request.count * request.rows() * view_.entries() * static_cast<std::int64_t>(sizeof(Real)) >= streamedBytes;
  }

  /// All samples of one column of a factor, in memory of that purpose unless they lie so.
  Rows<Real> rowsOf(const Factor<Real>& factor, std::int64_t v, std::int64_t g, Scratch purpose) const {
    if (v >= term_.V) v = 0;
    if (const std::optional<Matrix<Real>> lies = factor.lies(run_, v, g)) return {lies->p, lies->rowStride};
    Real* copy = scratch<Real>(purpose, N_ * factor.F);
    for (std::int64_t n = 0; n < N_; n++) {
      Real* row = copy + n * factor.F;
      const Real* from = factor.position(run_, v, n, g, 0, row);
      if (from != row) std::copy_n(from, factor.F, row);
    }
    return {copy, factor.F};
  }

  Rows<Real> squares(const Rows<Real>& u) const {
    Real* to = scratch<Real>(Scratch::sharedRightList, N_ * I_);
    run_.parallelRanges(N_, 1 + taskSize / I_, [&](std::int64_t from, std::int64_t end) {
      for (std::int64_t n = from; n < end; n++) isa<Real>().elementwise.square(u[n], to + n * I_, I_);
    });
    return {to, I_};
  }

  /// [N, O]: `Σ_v w a` or `Σ_v w a²` over [first, last), w counting how often a sample is listed too.
  Rows<Real> left(const Samples<Real>& samples, bool squared, std::int64_t first, std::int64_t last, std::int64_t g) const {
    const bool asIs = !squared && !samples.weighted() && !samples.lists() && last - first == 1 && first < term_.V;
    if (asIs) return rowsOf(*term_.a, first, g, Scratch::sharedLeft);
    Real* to = scratch<Real>(Scratch::sharedLeft, N_ * O_);
    run_.parallelRanges(N_, 1 + taskSize / (O_ * (last - first)), [&](std::int64_t from, std::int64_t end) {
      Real* line = scratch<Real>(Scratch::tile, O_);
      for (std::int64_t n = from; n < end; n++) addUp(samples, squared, first, last, n, g, static_cast<Real>(samples.times(n)), to + n * O_, line);
    });
    return {to, O_};
  }

  void addUp(const Samples<Real>& samples, bool squared, std::int64_t first, std::int64_t last, std::int64_t n, std::int64_t g, Real by, Real* to, Real* line) const {
    std::fill_n(to, O_, Real(0));
    for (std::int64_t v = first; v < std::min(last, term_.V) && by != 0; v++) {
      const Real* a = term_.a->position(run_, v, n, g, 0, line);
      if (squared) isa<Real>().elementwise.addSquares(by * samples.weight(v, n), a, to, O_);
      else isa<Real>().elementwise.addScaled(by * samples.weight(v, n), a, to, O_);
    }
  }

  /// The same of one sample.
  const Real* combined(const Samples<Real>& samples, bool squared, std::int64_t first, std::int64_t last, std::int64_t n, std::int64_t g, Real* to, Real* line) const {
    if (!squared && !samples.weighted() && last - first == 1 && first < term_.V) return term_.a->position(run_, first, n, g, 0, to);
    addUp(samples, squared, first, last, n, g, Real(1), to, line);
    return to;
  }

  const Real* single(const Factor<Real>& factor, bool squared, std::int64_t v, std::int64_t n, std::int64_t g, Real* to, Real* line) const {
    if (v >= term_.V) v = 0;
    if (!squared) return factor.position(run_, v, n, g, 0, to);
    const Real* x = factor.position(run_, v, n, g, 0, line);
    isa<Real>().elementwise.square(x, to, factor.F);
    return to;
  }

  /// Rows in the order in which a list of samples names them, where there is one.
  Matrix<Real> listed(const Samples<Real>& samples, const Rows<Real>& rows, std::int64_t F, Scratch purpose) const {
    if (!samples.lists()) return {rows.p, rows.stride, 1};
    Real* to = scratch<Real>(purpose, samples.before(N_) * F);
    for (std::int64_t n = 0, at = 0; n < N_; n++)
      for (std::int64_t i = 0; i < samples.times(n); i++, at++) std::copy_n(rows[n], F, to + at * F);
    return {to, F, 1};
  }

  const Run& run_;
  const Term<Real>& term_;
  const MatrixView& view_;
  std::int64_t N_, O_, I_;
  bool replaced_;
};

template <class Real> void RankOne<Real>::run(const Run& run, const OuterSpec<Real>& spec) const {
  const Work work(run, spec, replaced_);
  const Request<Real>* made = nullptr;
  for (const Request<Real>* request : centred_) {
    const auto beside = [&](const Request<Real>* r) { return r->form == RequestForm::plain && r->from == request->from && r->to == request->to && !r->weight && !r->samples && !request->samples; };
    const auto plain = made != nullptr ? sums_.end() : std::find_if(sums_.begin(), sums_.end(), beside);
    if (plain != sums_.end()) made = *plain;
    work.centred(*request, plain == sums_.end() ? nullptr : *plain);
  }
  for (const Request<Real>* request : sums_)
    if (request != made) work.sum(*request);
  for (const Request<Real>* request : individuals_) work.individual(*request);
  if (norms_.empty()) return;
  double* norms = scratch<double>(Scratch::sharedNorms, spec.columns() * spec.N);
  work.norms(spec.columns(), norms);
  for (const Request<Real>* request : norms_) writeNorms(run, *request, Samples<Real>(run, *request, spec.N), spec.N, norms);
}

template class RankOne<float>;
template class RankOne<double>;

}  // namespace gradpack
