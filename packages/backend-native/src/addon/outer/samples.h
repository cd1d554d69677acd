// Which rows of a request's result belong to a sample: itself, or the places where a list of samples names it.
#pragma once
#include <algorithm>
#include <vector>

#include "outer-spec.h"

namespace gradpack {

/// Most samples that are added up one after another in the numbers' own precision: sums of more are sums of such sums, as far as there is
/// memory for them. A running sum of 10⁶ float32 numbers is off by a percent.
constexpr std::int64_t samplesOfSum = 1024;

template <class Real> class Samples {
 public:
  Samples(const Run& run, const Request<Real>& request, std::int64_t N) : weight_(request.weight ? run.read<Real>(*request.weight) : nullptr), from_(request.from), N_(N) {
    if (!request.samples) return;
    // a copy: whoever holds a view of the list may write into it meanwhile
    const std::int32_t* given = run.read<std::int32_t>(*request.samples);
    const std::vector<std::int32_t> list(given, given + request.count);
    first_.assign(static_cast<std::size_t>(N) + 1, 0);
    const auto holds = [N](std::int32_t n) { return n >= 0 && n < N; };
    for (const std::int32_t n : list)
      if (holds(n)) first_[static_cast<std::size_t>(n) + 1]++;
    for (std::size_t n = 0; n < static_cast<std::size_t>(N); n++) first_[n + 1] += first_[n];
    place_.resize(static_cast<std::size_t>(first_.back()));
    std::vector<std::int64_t> next(first_.begin(), first_.end() - 1);
    for (std::size_t i = 0; i < list.size(); i++)
      if (holds(list[i])) place_[static_cast<std::size_t>(next[static_cast<std::size_t>(list[i])]++)] = static_cast<std::int64_t>(i);
  }

  /// How often sample n is asked for.
  std::int64_t times(std::int64_t n) const { return first_.empty() ? 1 : first_[static_cast<std::size_t>(n) + 1] - first_[static_cast<std::size_t>(n)]; }
  /// Its row in the result, for occurrence i < times(n).
  std::int64_t row(std::int64_t n, std::int64_t i) const { return first_.empty() ? n : place_[static_cast<std::size_t>(first_[static_cast<std::size_t>(n)] + i)]; }
  /// How many are asked for among the first n samples.
  std::int64_t before(std::int64_t n) const { return first_.empty() ? n : first_[static_cast<std::size_t>(n)]; }
  Real weight(std::int64_t v, std::int64_t n) const { return weight_ == nullptr ? Real(1) : weight_[(v - from_) * N_ + n]; }
  bool lists() const { return !first_.empty(); }
  bool weighted() const { return weight_ != nullptr; }

 private:
  const Real* weight_;
  std::int64_t from_, N_;
  std::vector<std::int64_t> first_, place_;
};

}  // namespace gradpack
