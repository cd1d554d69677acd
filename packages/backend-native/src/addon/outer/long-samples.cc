#include "long-samples.h"

#include <algorithm>

#include "../memory/scratch.h"
#include "packed-terms.h"

namespace gradpack {
namespace {

/// Steps of a range, and from how many on a sample is long.
constexpr std::int64_t rangeSteps = 512, longSteps = 1024;
static_assert(rangeSteps % Unfolding<float>::grain == 0);
/// Cells of a chunk for all columns.
constexpr std::int64_t chunkCells = 48 << 10;
/// Tasks that keep some threads busy.
constexpr std::int64_t fewTasks = 8;

}  // namespace

template <class Real> bool LongSamples<Real>::applies(const OuterSpec<Real>& spec, const std::vector<std::size_t>& requests) {
  // rows that are unfolded images have no ranges of their own
  const auto dense = [](const std::vector<Term<Real>>& terms) { return std::all_of(terms.begin(), terms.end(), [](const Term<Real>& term) { return !term.a->window(); }); };
  return PackedTerms<Real>(spec.terms, spec.columns()).steps() > longSteps && dense(spec.terms) && std::all_of(requests.begin(), requests.end(), [&](std::size_t i) { return dense(spec.requests[i].cross); });
}

template <class Real> PanelFrame<Real> LongSamples<Real>::frame(const OuterSpec<Real>& spec) {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  // few samples make few tasks: then chunks are narrower
  const std::int64_t all = spec.terms[0].view->columns(), columns = std::min(chunkColumns, std::max<std::int64_t>(all / ceilDivide(fewTasks, spec.N), 2 * tiles.columns));
  return PanelFrame<Real>(tiles, *spec.terms[0].view, std::clamp<std::int64_t>(chunkCells / (std::min(columns, all) * spec.columns()), tiles.rows, chunkRows), columns);
}

template <class Real>
LongSamples<Real>::LongSamples(const Run& run, const OuterSpec<Real>& spec, const Reducer<Real>& reducer, const PanelFrame<Real>& frame, const Chunk& chunk)
    : run_(run), spec_(spec), reducer_(reducer), frame_(frame), chunk_(chunk), rows_(chunk.O, tiles_.rows), sets_(spec.columns()) {
  for (const StripRequest<Real>& r : reducer.requests()) {
    firstSet_.push_back(sets_);
    if (r.request->form == RequestForm::cross) sets_ += r.request->to - r.request->from;
  }
}

template <class Real> void LongSamples<Real>::run(std::int64_t from, std::int64_t to, const Sums<Real>& sums, double* norms) const {
  Real *G = scratch<Real>(Scratch::product, sets_ * chunk_.cells), *temporary = scratch<Real>(Scratch::tile, rows_.size(0) * tiles_.columns * reducer_.temporaries());
  for (std::int64_t n = from; n < to; n++) {
    if (!reducer_.wants(n)) continue;
    std::fill_n(G, sets_ * chunk_.cells, Real(0));
    add(spec_.terms, spec_.columns(), n, G);
    for (std::size_t r = 0; r < firstSet_.size(); r++) {
      const Request<Real>& request = *reducer_.requests()[r].request;
      if (request.form == RequestForm::cross) add(request.cross, request.to - request.from, n, G + firstSet_[r] * chunk_.cells);
    }
    reduce(n, G, temporary, sums, norms);
  }
}

template <class Real> void LongSamples<Real>::add(const std::vector<Term<Real>>& terms, std::int64_t V, std::int64_t n, Real* G) const {
  Real *panels = scratch<Real>(Scratch::columns, rangeSteps * panelSize(tiles_, chunk_.J, 1)), *rows = scratch<Real>(Scratch::rows, rangeSteps * rows_.size(0));
  constexpr std::int64_t grain = Unfolding<Real>::grain;
  for (const Term<Real>& term : terms) {
    const Split ranges(ceilDivide(term.a->T, grain), rangeSteps / grain);
    const std::int64_t columns = std::min(V, term.V), sets = term.u->V > 1 ? columns : 1;
    for (std::int64_t set = 0; set < sets; set++) {
      const auto laid = term.u->lay(run_, set, n, chunk_.g, chunk_.j, chunk_.J);
      for (std::int64_t range = 0; range < ranges.count; range++) {
        const std::int64_t t = ranges.at(range) * grain, count = std::min(ranges.size(range) * grain, term.a->T - t);
        term.u->packPanels(run_, tiles_, laid, set, n, chunk_.g, chunk_.j, chunk_.J, t, count, panels);
        for (std::int64_t v = sets > 1 ? set : 0; v < (sets > 1 ? set + 1 : columns); v++)
          for (std::int64_t i = 0; i < rows_.count; i++) {
            const std::int64_t o = rows_.at(i), m = rows_.size(i);
            term.a->pack(run_, tiles_, v, chunk_.g, chunk_.o + o, m, n * term.a->T + t, count, rows, m);
            for (std::int64_t j = 0; j < chunk_.J; j += tiles_.columns) {
              const std::int64_t width = panelWidth(tiles_, chunk_.J - j);
              TileReductions<Real> out;
              out.sum = G + v * chunk_.cells + j * chunk_.O + o * width;
              (width == tiles_.columns ? isa<Real>().outer.wide : isa<Real>().outer.narrow)[m](count, rows, m, panels + j * count, width, out);
            }
          }
      }
    }
  }
}

template <class Real> void LongSamples<Real>::reduce(std::int64_t n, const Real* G, Real* temporary, const Sums<Real>& sums, double* norms) const {
  for (std::int64_t i = 0; i < rows_.count; i++)
    for (std::int64_t j = 0; j < chunk_.J; j += tiles_.columns) {
      const std::int64_t o = rows_.at(i), m = rows_.size(i), width = panelWidth(tiles_, chunk_.J - j), valid = std::min(width, chunk_.J - j), cell = j * chunk_.O + o * width;
      for (std::int64_t v = 0; v < spec_.columns(); v++) {
        if (!reducer_.wantsColumn(v)) continue;
        reducer_.reduce({v, n, G + v * chunk_.cells + cell, m * width, width, valid, cell}, sums, temporary, norms,
                        [&](std::size_t r) { return G + (firstSet_[r] + v - reducer_.requests()[r].request->from) * chunk_.cells + cell; },
                        [&](const Real* values, Real* row, bool add) { frame_.emit(chunk_, o, m, j, valid, width, values, row, add); });
      }
    }
}

template class LongSamples<float>;
template class LongSamples<double>;

}  // namespace gradpack
