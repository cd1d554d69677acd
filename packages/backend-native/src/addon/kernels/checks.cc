// clampIndices and checkFinite: the kernels that raise the step's flag.
#include <atomic>

#include "../isa/isa.h"
#include "decoders.h"

namespace gradpack {
namespace {

constexpr std::int64_t grain = 65536;

class ClampIndices final : public Call {
 public:
  explicit ClampIndices(CallReader& words) {
    words.expectOperands(1, 2);
    length_ = words.extent();
    bound_ = static_cast<std::int32_t>(words.within(1, 1LL << 31));
    bit_ = static_cast<std::int32_t>(words.within(-(1LL << 31), 1LL << 31));
    ids_ = words.read(0, Dtype::int32, Extent::contiguous(length_));
    out_ = words.write(0, Dtype::int32, Extent::contiguous(length_));
    flag_ = words.write(1, Dtype::int32, Extent::contiguous(1));
  }
  void run(const Run& run) const override {
    const std::int32_t* ids = run.read<std::int32_t>(ids_);
    std::int32_t* out = run.write<std::int32_t>(out_);
    std::atomic<bool> raised{false};
    run.parallelRanges(length_, grain, [&](std::int64_t from, std::int64_t to) {
      const std::int32_t most = bound_ - 1;
      std::int32_t differs = 0;
#pragma GCC ivdep
      for (std::int64_t i = from; i < to; i++) {
        const std::int32_t id = ids[i], low = id < 0 ? 0 : id, clamped = low > most ? most : low;
        differs |= clamped ^ id;
        out[i] = clamped;
      }
      if (differs != 0) raised = true;
    });
    if (raised) *run.write<std::int32_t>(flag_) |= bit_;
  }
  double bytes() const override { return static_cast<double>(length_) * 8; }

 private:
  std::int64_t length_;
  std::int32_t bound_, bit_;
  Place ids_, out_, flag_;
};

template <class Real> class CheckFinite final : public Call {
 public:
  explicit CheckFinite(CallReader& words) {
    words.expectOperands(1, 1);
    length_ = words.extent();
    bit_ = static_cast<std::int32_t>(words.within(-(1LL << 31), 1LL << 31));
    x_ = words.read(0, words.precision, Extent::contiguous(length_));
    flag_ = words.write(0, Dtype::int32, Extent::contiguous(1));
  }
  void run(const Run& run) const override {
    const Real* x = run.read<Real>(x_);
    std::atomic<bool> raised{false};
    run.parallelRanges(length_, grain, [&](std::int64_t from, std::int64_t to) {
      if (!isa<Real>().elementwise.finite(x + from, to - from)) raised = true;
    });
    if (raised) *run.write<std::int32_t>(flag_) |= bit_;
  }
  double bytes() const override { return static_cast<double>(length_) * sizeof(Real); }

 private:
  std::int64_t length_;
  std::int32_t bit_;
  Place x_, flag_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeClampIndices(CallReader& words) { return std::make_unique<ClampIndices>(words); }
template <class Real> std::unique_ptr<Call> decodeCheckFinite(CallReader& words) { return std::make_unique<CheckFinite<Real>>(words); }
template std::unique_ptr<Call> decodeClampIndices<float>(CallReader&);
template std::unique_ptr<Call> decodeClampIndices<double>(CallReader&);
template std::unique_ptr<Call> decodeCheckFinite<float>(CallReader&);
template std::unique_ptr<Call> decodeCheckFinite<double>(CallReader&);

}  // namespace gradpack
