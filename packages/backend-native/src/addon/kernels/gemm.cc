// gemm: C[b,m,n] (+)= [bias +] alpha Σ_k A[b,m,k] B[b,k,n], any strides. A batch that is large enough is shared out whole products at a time.
#include "../gemm/blocked.h"
#include "../isa/isa.h"
#include "decoders.h"

namespace gradpack {
namespace {

template <class Real> class Gemm final : public Call {
 public:
  explicit Gemm(CallReader& words) {
    words.expectOperands(words.readCount() == 3 ? 3 : 2, 1);
    batch_ = words.extent(), M_ = words.extent(), N_ = words.extent(), K_ = words.extent();
    for (Operand* operand : {&a_, &b_, &c_}) operand->batch = words.integer(), operand->row = words.integer(), operand->column = words.integer();
    alpha_ = static_cast<Real>(words.number());
    accumulate_ = words.flag();
    const std::int64_t bias = words.within(0, 3);
    sizeOf({batch_, M_, N_, K_});
    hasBias_ = bias != 0, biasRow_ = bias == 1, biasColumn_ = bias == 2;
    if (hasBias_) bias_ = words.read(2, words.precision, Extent::contiguous(bias == 1 ? M_ : N_));
    a_.place = words.read(0, words.precision, Extent{}.axis(batch_, a_.batch).axis(M_, a_.row).axis(K_, a_.column));
    b_.place = words.read(1, words.precision, Extent{}.axis(batch_, b_.batch).axis(K_, b_.row).axis(N_, b_.column));
    c_.place = words.write(0, words.precision, Extent{}.axis(batch_, c_.batch).axis(M_, c_.row).axis(N_, c_.column));
    if (effort(N_, M_, c_.row) < effort(M_, N_, c_.column)) {
      std::swap(M_, N_);
      std::swap(a_, b_);
      std::swap(biasRow_, biasColumn_);
      for (Operand* operand : {&a_, &b_, &c_}) std::swap(operand->row, operand->column);
    }
  }

  void run(const Run& run) const override {
    if (hasBias_) spreadBias(run);
    const auto product = [&](std::int64_t b, int threads) {
      multiply<Real>(threads, M_, N_, K_, alpha_, {run.read<Real>(a_.place) + b * a_.batch, a_.row, a_.column}, {run.read<Real>(b_.place) + b * b_.batch, b_.row, b_.column},
                     {run.write<Real>(c_.place) + b * c_.batch, c_.row, c_.column, accumulate_ || hasBias_});
    };
    const double each = 2.0 * static_cast<double>(M_) * static_cast<double>(N_) * static_cast<double>(K_);
    if (batch_ >= 2 * run.threads) run.parallelRanges(batch_, 1 + static_cast<std::int64_t>(worthSharing / each), [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t b = from; b < to; b++) product(b, 1);
      });
    else
      for (std::int64_t b = 0; b < batch_; b++) product(b, run.threads);
  }
  double flops() const override { return 2.0 * static_cast<double>(batch_ * M_) * static_cast<double>(N_) * static_cast<double>(K_); }
  double bytes() const override { return static_cast<double>(batch_ * (M_ * N_ + N_ * K_ + M_ * K_)) * sizeof(Real); }

 private:
  /// Tiles compute whole half panels of columns and write rows: few columns, or C with contiguous columns, are better computed transposed.
  static double effort(std::int64_t M, std::int64_t N, std::ptrdiff_t columnStride) {
    const double cells = static_cast<double>(M) * static_cast<double>(panelSize(isa<Real>().tiles, N, 1));
    return columnStride == 1 ? cells : 1.25 * cells;
  }

  void spreadBias(const Run& run) const {
    const Real* bias = run.read<Real>(bias_);
    run.parallelRanges(batch_ * M_, 1 + (1 << 16) / N_, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; i++) {
        Real* c = run.write<Real>(c_.place) + i / M_ * c_.batch + i % M_ * c_.row;
        for (std::int64_t n = 0; n < N_; n++) c[n * c_.column] = bias[i % M_ * biasRow_ + n * biasColumn_];
      }
    });
  }

  struct Operand {
    Place place;
    std::ptrdiff_t batch, row, column;
  };
  std::int64_t batch_, M_, N_, K_;
  Operand a_, b_, c_;
  Real alpha_;
  bool accumulate_, hasBias_;
  /// Strides of the bias along C's rows and columns.
  std::int64_t biasRow_, biasColumn_;
  Place bias_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeGemm(CallReader& words) { return std::make_unique<Gemm<Real>>(words); }
template std::unique_ptr<Call> decodeGemm<float>(CallReader&);
template std::unique_ptr<Call> decodeGemm<double>(CallReader&);

}  // namespace gradpack
