// One matrix term of one position (a linear layer): G[v, n] = a uᵀ. It is never made: sums over samples are matrix products of a and u
// or of their squares, norms are products of norms, individual results are scaled copies of u.
#pragma once
#include "outer-spec.h"
#include "reducer.h"

namespace gradpack {

template <class Real> class RankOne {
 public:
  /// `replaced`: results were not filled with 0 before.
  explicit RankOne(bool replaced) : replaced_(replaced) {}

  /// Whether all requests of these terms are of that kind.
  static bool applies(const std::vector<Term<Real>>& terms) { return terms.size() == 1 && terms[0].kind == TermKind::matrix && terms[0].a->T == 1 && terms[0].view->regular(); }
  /// Takes the request if it can be met so.
  bool take(const Term<Real>& term, const Request<Real>& request);
  void run(const Run& run, const OuterSpec<Real>& spec) const;

 private:
  class Work;
  bool replaced_;
  std::vector<const Request<Real>*> sums_, norms_, individuals_, centred_;
};

}  // namespace gradpack
