// outer: reductions of G[v,n] = Σ_terms (∂y_n/∂θ)ᵀ a[v,n]. Chooses, request by request, how G is met:
// - joined: a sum over samples of matrix terms is a matrix product over (n, t). Where the terms have one position, G is a product of
//   two vectors, and a sum of its squares is the product of the squared vectors;
// - rank one: then ‖G‖² = ‖a‖² ‖u‖², and G is never made;
// - strips: everything else of matrix terms with one view, from the same register tiles for all requests;
// - flat: other terms, or several kinds of them, in θ's own layout.
#include <algorithm>

#include "../memory/scratch.h"
#include "../outer/flat.h"
#include "../outer/panels.h"
#include "decoders.h"

namespace gradpack {
namespace {

template <class Real> class Outer final : public Call {
 public:
  explicit Outer(CallReader& words) : spec_(words) {
    for (const Request<Real>& request : spec_.requests)
      for (const Term<Real>& term : request.cross) view_ = sharedView(term) && view_;
    for (const Term<Real>& term : spec_.terms) view_ = sharedView(term) && view_;
    view_ = view_ && !spec_.terms.empty();
    rankOne_ = view_ && spec_.terms.size() == 1 && spec_.terms[0].a->T == 1;
    const auto joins = [&](const Request<Real>& request, RequestForm form) { return view_ && request.form == form && request.sumsSamples() && !request.samples; };
    for (std::size_t i = 0; i < spec_.requests.size(); i++) {
      const Request<Real>& request = spec_.requests[i];
      if (rankOne_ && request.form == RequestForm::norm) norms_.push_back(i);
      else if (rankOne_ && (joins(request, RequestForm::plain) || joins(request, RequestForm::square))) joined_.push_back(i);
      else if (!joins(request, RequestForm::plain)) strips_.push_back(i);
    }
    // a plain sum beside strips of the same columns is free; alone it is a matrix product
    for (std::size_t i = 0; i < spec_.requests.size(); i++) {
      const Request<Real>& request = spec_.requests[i];
      if (rankOne_ || !joins(request, RequestForm::plain)) continue;
      const bool beside = std::any_of(strips_.begin(), strips_.end(), [&](std::size_t s) { return spec_.requests[s].from <= request.from && request.to <= spec_.requests[s].to; });
      (beside ? strips_ : joined_).push_back(i);
    }
    covered_ = view_ ? spec_.terms[0].view->entries() == spec_.size : !isSparse(spec_);
    for (const Term<Real>& term : spec_.terms)
      if (term.kind == TermKind::matrix) work_ += 2.0 * static_cast<double>(term.view->entries()) * static_cast<double>(term.a->T * spec_.N * spec_.columns());
      else work_ += static_cast<double>(spec_.size * spec_.N * spec_.columns());
  }

  void run(const Run& run) const override {
    if (!covered_)
      for (const Request<Real>& request : spec_.requests) clear(run, request);
    const MatrixView* view = view_ ? &*spec_.terms[0].view : nullptr;
    for (const std::size_t i : joined_) runJoined(run, spec_, *view, spec_.requests[i], spec_.requests[i].form == RequestForm::square, covered_);
    if (!norms_.empty()) {
      const Reducer<Real> reducer(run, spec_, norms_, covered_);
      std::vector<double> norms = rankOneNorms(run);
      for (const StripRequest<Real>& r : reducer.requests()) writeNorms(run, r, spec_.N, norms.data());
    }
    if (strips_.empty()) return;
    const Reducer<Real> reducer(run, spec_, strips_, covered_);
    const bool measures = std::any_of(strips_.begin(), strips_.end(), [&](std::size_t i) { return spec_.requests[i].form == RequestForm::norm; });
    std::vector<double> norms(measures ? static_cast<std::size_t>(spec_.columns() * spec_.N) : 0);
    if (view != nullptr) runStrips(run, spec_, *view, reducer, measures ? norms.data() : nullptr);
    else runFlat(run, spec_, reducer, measures ? norms.data() : nullptr);
    for (const StripRequest<Real>& r : reducer.requests())
      if (r.request->form == RequestForm::norm) writeNorms(run, r, spec_.N, norms.data());
  }
  double flops() const override { return work_; }
  double bytes() const override {
    double total = 0;
    for (const Request<Real>& request : spec_.requests)
      if (request.form != RequestForm::norm) total += static_cast<double>(spec_.size * request.rows() * (request.sumsSamples() ? 1 : request.count)) * sizeof(Real);
    return total;
  }

 private:
  /// Whether the term is a matrix term with the first term's view.
  bool sharedView(const Term<Real>& term) const {
    return term.kind == TermKind::matrix && !spec_.terms.empty() && spec_.terms[0].kind == TermKind::matrix && *term.view == *spec_.terms[0].view;
  }

  void clear(const Run& run, const Request<Real>& request) const {
    if (request.accumulate || request.form == RequestForm::norm) return;
    for (std::int64_t row = 0; row < request.rows(); row++)
      for (std::int64_t i = 0; i < (request.sumsSamples() ? 1 : request.count); i++) std::fill_n(run.write<Real>(request.into) + row * request.v + i * request.n, spec_.size, Real(0));
  }

  std::vector<double> rankOneNorms(const Run& run) const {
    const Term<Real>& term = spec_.terms[0];
    const std::int64_t V = spec_.columns(), N = spec_.N;
    std::vector<double> norms(static_cast<std::size_t>(V * N));
    run.parallelRanges(V * N, 1 + 65536 / (term.a->F + term.u->F), [&](std::int64_t from, std::int64_t to) {
      Real* line = scratch<Real>(Scratch::tile, std::max(term.a->F, term.u->F));
      const auto square = [&](const Factor<Real>& factor, std::int64_t v, std::int64_t n, std::int64_t g) {
        Real own = 0;
        for (std::int64_t f = 0; f < factor.F; f++) line[f] = *factor.row(run, v, n, g, f, &own);
        return static_cast<double>(isa<Real>().elementwise.sumOfSquares(line, factor.F));
      };
      for (std::int64_t i = from; i < to; i++) {
        const std::int64_t v = i / N, n = i % N;
        if (v >= term.V) continue;
        for (std::int64_t g = 0; g < term.a->G; g++) norms[static_cast<std::size_t>(i)] += square(*term.a, v, n, g) * square(*term.u, v, n, g);
      }
    });
    return norms;
  }

  OuterSpec<Real> spec_;
  bool view_ = true, rankOne_ = false, covered_ = false;
  std::vector<std::size_t> joined_, norms_, strips_;
  double work_ = 0;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeOuter(CallReader& words) { return std::make_unique<Outer<Real>>(words); }
template std::unique_ptr<Call> decodeOuter<float>(CallReader&);
template std::unique_ptr<Call> decodeOuter<double>(CallReader&);

}  // namespace gradpack
