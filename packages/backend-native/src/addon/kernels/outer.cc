// outer: reductions of G[v,n] = Σ_terms (∂y_n/∂θ)ᵀ a[v,n]. Chooses, request by request, how G is met:
// - rank one: one matrix term of one position, whose G is never made;
// - filtered: convolutions whose tiles take fewer products;
// - tiled: everything else of matrix terms with one view, from the same register tiles for all requests;
// - flat: other terms, or several kinds of them, in θ's own layout.
#include <algorithm>

#include "../memory/scratch.h"
#include "../outer/filtered.h"
#include "../outer/flat.h"
#include "../outer/rank-one.h"
#include "../outer/tiled.h"
#include "decoders.h"

namespace gradpack {
namespace {

template <class Real> class Outer final : public Call {
 public:
  explicit Outer(CallReader& words) : spec_(words), rankOne_(replaced()) {
    if (spec_.requests.empty()) return;
    const bool single = RankOne<Real>::applies(spec_.terms);
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < spec_.requests.size(); i++)
      if (!single || !rankOne_.take(spec_.terms[0], spec_.requests[i])) others.push_back(i);
    if (Filtered<Real>::pays(spec_)) filtered_.emplace(spec_, replaced());
    else if (sharesView()) tiled_.emplace(spec_, others, replaced());
    else flat_ = others;
    for (const Term<Real>& term : spec_.terms)
      if (term.kind == TermKind::matrix) work_ += 2.0 * static_cast<double>(term.view->entries()) * static_cast<double>(term.a->T * spec_.N * spec_.columns());
      else work_ += static_cast<double>(spec_.size * spec_.N * spec_.columns());
  }

  void run(const Run& run) const override {
    if (!replaced())
      for (const Request<Real>& request : spec_.requests) clear(run, request);
    rankOne_.run(run, spec_);
    if (filtered_) filtered_->run(run, spec_);
    if (tiled_) tiled_->run(run, spec_);
    if (!flat_.empty()) runFlat(run, spec_, flat_, replaced());
  }
  double flops() const override { return work_; }
  double bytes() const override {
    double total = 0;
    for (const Request<Real>& request : spec_.requests)
      if (request.form != RequestForm::norm) total += static_cast<double>(spec_.size * request.rows() * (request.sumsSamples() ? 1 : request.count)) * sizeof(Real);
    return total;
  }

 private:
  /// Whether all terms are matrix terms with one view.
  bool sharesView() const {
    const auto shares = [&](const Term<Real>& term) { return term.kind == TermKind::matrix && spec_.terms[0].kind == TermKind::matrix && *term.view == *spec_.terms[0].view; };
    const auto all = [&](const std::vector<Term<Real>>& terms) { return std::all_of(terms.begin(), terms.end(), shares); };
    return !spec_.terms.empty() && all(spec_.terms) && std::all_of(spec_.requests.begin(), spec_.requests.end(), [&](const Request<Real>& request) { return all(request.cross); });
  }

  /// Whether all entries of θ are written anyway, so that results need not be filled with 0 before.
  bool replaced() const {
    const bool matrix = !spec_.terms.empty() && spec_.terms[0].view;
    return matrix ? spec_.terms[0].view->entries() == spec_.size : !isSparse(spec_);
  }

  void clear(const Run& run, const Request<Real>& request) const {
    if (request.accumulate || request.form == RequestForm::norm) return;
    for (std::int64_t row = 0; row < request.rows(); row++)
      for (std::int64_t i = 0; i < (request.sumsSamples() ? 1 : request.count); i++) std::fill_n(run.write<Real>(request.into) + row * request.v + i * request.n, spec_.size, Real(0));
  }

  OuterSpec<Real> spec_;
  RankOne<Real> rankOne_;
  std::optional<Filtered<Real>> filtered_;
  std::optional<Tiled<Real>> tiled_;
  std::vector<std::size_t> flat_;
  double work_ = 0;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeOuter(CallReader& words) { return std::make_unique<Outer<Real>>(words); }
template std::unique_ptr<Call> decodeOuter<float>(CallReader&);
template std::unique_ptr<Call> decodeOuter<double>(CallReader&);

}  // namespace gradpack
