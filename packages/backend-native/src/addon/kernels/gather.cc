// gather, its adjoint scatterAdd, and gatherRows. Indices come from data: one that is out of range reads 0 or is dropped, so that no
// program can reach outside its buffers.
#include <algorithm>
#include <cstring>

#include "../threads/grain.h"
#include "decoders.h"

namespace gradpack {
namespace {

struct IndexShape {
  std::int64_t V, R, S, T;
  explicit IndexShape(CallReader& words) : V(words.extent()), R(words.extent()), S(words.within(1, 1LL << 31)), T(words.extent()) {}
  Extent wide() const { return Extent::contiguous(sizeOf({V, R, S})); }
  Extent narrow() const { return Extent::contiguous(sizeOf({V, R, T})); }
  Extent index() const { return Extent::contiguous(sizeOf({R, T})); }
  bool holds(std::int32_t s) const { return static_cast<std::uint32_t>(s) < static_cast<std::uint32_t>(S); }
  /// Rows of one task; `filled`: how many entries of a row are zeroed first.
  std::int64_t grain(std::int64_t filled) const { return grainOf(0.8 * static_cast<double>(T) + 0.15 * static_cast<double>(filled)); }
};

template <class Real> class Gather final : public Call {
 public:
  explicit Gather(CallReader& words) : shape_((words.expectOperands(2, 1), words)) {
    x_ = words.read(0, words.precision, shape_.wide());
    index_ = words.read(1, Dtype::int32, shape_.index());
    y_ = words.write(0, words.precision, shape_.narrow());
  }
  void run(const Run& run) const override {
    const auto [V, R, S, T] = shape_;
    const Real* x = run.read<Real>(x_);
    const std::int32_t* index = run.read<std::int32_t>(index_);
    Real* y = run.write<Real>(y_);
    run.parallelRanges(V * R, shape_.grain(0), [&, R = R, S = S, T = T](std::int64_t from, std::int64_t to) {
      for (std::int64_t row = from; row < to; row++) {
        const std::int32_t* at = index + row % R * T;
        for (std::int64_t t = 0; t < T; t++) {
          const std::int32_t s = at[t];
          y[row * T + t] = shape_.holds(s) ? x[row * S + s] : Real(0);
        }
      }
    });
  }
  double bytes() const override { return static_cast<double>(shape_.V * shape_.R * shape_.T) * 12; }

 private:
  IndexShape shape_;
  Place x_, index_, y_;
};

template <class Real> class ScatterAdd final : public Call {
 public:
  explicit ScatterAdd(CallReader& words) : shape_((words.expectOperands(2, 1), words)) {
    y_ = words.read(0, words.precision, shape_.narrow());
    index_ = words.read(1, Dtype::int32, shape_.index());
    x_ = words.write(0, words.precision, shape_.wide());
  }
  void run(const Run& run) const override {
    const auto [V, R, S, T] = shape_;
    const Real* y = run.read<Real>(y_);
    const std::int32_t* index = run.read<std::int32_t>(index_);
    Real* x = run.write<Real>(x_);
    run.parallelRanges(V * R, shape_.grain(S), [&, R = R, S = S, T = T](std::int64_t from, std::int64_t to) {
      for (std::int64_t row = from; row < to; row++) {
        const std::int32_t* at = index + row % R * T;
        Real* sums = x + row * S;
        std::fill_n(sums, S, Real(0));
        for (std::int64_t t = 0; t < T; t++)
          if (const std::int32_t s = at[t]; shape_.holds(s)) sums[s] += y[row * T + t];
      }
    });
  }
  double bytes() const override { return static_cast<double>(shape_.V * shape_.R) * static_cast<double>(shape_.S + 3 * shape_.T) * 4; }

 private:
  IndexShape shape_;
  Place x_, index_, y_;
};

template <class Real> class GatherRows final : public Call {
 public:
  explicit GatherRows(CallReader& words) {
    words.expectOperands(2, 1);
    V_ = words.extent(), J_ = words.extent(), H_ = words.extent(), words_ = words.within(1, 1LL << 31);
    hasSkip_ = words.flag();
    skip_ = words.integer();
    weight_ = words.read(0, words.precision, Extent::contiguous(sizeOf({V_, words_, H_})));
    ids_ = words.read(1, Dtype::int32, Extent::contiguous(J_));
    y_ = words.write(0, words.precision, Extent::contiguous(sizeOf({V_, J_, H_})));
  }
  void run(const Run& run) const override {
    const Real* weight = run.read<Real>(weight_);
    const std::int32_t* ids = run.read<std::int32_t>(ids_);
    Real* y = run.write<Real>(y_);
    run.parallelRanges(V_ * J_, grainOf(5 + 0.1 * sizeof(Real) * static_cast<double>(H_)), [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t row = from; row < to; row++) {
        const std::int64_t v = row / J_, id = ids[row % J_];
        Real* out = y + row * H_;
        if (id < 0 || id >= words_ || (hasSkip_ && id == skip_)) std::fill_n(out, H_, Real(0));
        else std::copy_n(weight + (v * words_ + id) * H_, H_, out);
      }
    });
  }
  double bytes() const override { return static_cast<double>(V_ * J_ * H_) * 2 * sizeof(Real); }

 private:
  std::int64_t V_, J_, H_, words_, skip_;
  bool hasSkip_;
  Place weight_, ids_, y_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeGather(CallReader& words) { return std::make_unique<Gather<Real>>(words); }
template <class Real> std::unique_ptr<Call> decodeScatterAdd(CallReader& words) { return std::make_unique<ScatterAdd<Real>>(words); }
template <class Real> std::unique_ptr<Call> decodeGatherRows(CallReader& words) { return std::make_unique<GatherRows<Real>>(words); }
template std::unique_ptr<Call> decodeGather<float>(CallReader&);
template std::unique_ptr<Call> decodeGather<double>(CallReader&);
template std::unique_ptr<Call> decodeScatterAdd<float>(CallReader&);
template std::unique_ptr<Call> decodeScatterAdd<double>(CallReader&);
template std::unique_ptr<Call> decodeGatherRows<float>(CallReader&);
template std::unique_ptr<Call> decodeGatherRows<double>(CallReader&);

}  // namespace gradpack
