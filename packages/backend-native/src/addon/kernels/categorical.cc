// categorical: the first class c with Σ_{d≤c} p > u Σ_d p.
#include "../threads/grain.h"
#include "decoders.h"

namespace gradpack {
namespace {

template <class Real> class Categorical final : public Call {
 public:
  explicit Categorical(CallReader& words) {
    words.expectOperands(2, 1);
    M_ = words.extent(), N_ = words.extent(), C_ = words.within(1, 1LL << 31), P_ = words.extent();
    p_ = words.read(0, words.precision, Extent::contiguous(sizeOf({N_, C_, P_})));
    const Extent draws = Extent::contiguous(sizeOf({M_, N_, P_}));
    u_ = words.read(1, words.precision, draws);
    label_ = words.write(0, Dtype::int32, draws);
  }
  void run(const Run& run) const override {
    const Real *p = run.read<Real>(p_), *u = run.read<Real>(u_);
    std::int32_t* label = run.write<std::int32_t>(label_);
    run.parallelRanges(N_ * P_, grainOf(static_cast<double>(C_ * (1 + M_))), [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t at = from; at < to; at++) {
        const std::int64_t n = at / P_, q = at % P_;
        const Real* row = p + n * C_ * P_ + q;
        double total = 0;
        for (std::int64_t c = 0; c < C_; c++) total += row[c * P_];
        for (std::int64_t m = 0; m < M_; m++) {
          const std::int64_t draw = (m * N_ + n) * P_ + q;
          const double bound = u[draw] * total;
          double sum = 0;
          std::int64_t c = 0;
          for (; c < C_ - 1; c++) {
            sum += row[c * P_];
            if (sum > bound) break;
          }
          label[draw] = static_cast<std::int32_t>(c);
        }
      }
    });
  }
  double bytes() const override { return static_cast<double>(N_ * C_ * P_ * (M_ + 1)) * sizeof(Real); }

 private:
  std::int64_t M_, N_, C_, P_;
  Place p_, u_, label_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeCategorical(CallReader& words) { return std::make_unique<Categorical<Real>>(words); }
template std::unique_ptr<Call> decodeCategorical<float>(CallReader&);
template std::unique_ptr<Call> decodeCategorical<double>(CallReader&);

}  // namespace gradpack
