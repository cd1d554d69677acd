// fill: y[i] = value.
#include <algorithm>

#include "decoders.h"

namespace gradpack {
namespace {

template <class T> class Fill final : public Call {
 public:
  Fill(CallReader& words, std::int64_t length, double value) : length_(length), value_(static_cast<T>(value)), y_(words.write(0, dtypeOf<T>(), Extent::contiguous(length))) {}
  void run(const Run& run) const override {
    T* y = run.write<T>(y_);
    run.parallelRanges(length_, 1 << 18, [&](std::int64_t from, std::int64_t to) { std::fill(y + from, y + to, value_); });
  }
  double bytes() const override { return static_cast<double>(length_) * sizeof(T); }

 private:
  std::int64_t length_;
  T value_;
  Place y_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeFill(CallReader& words) {
  words.expectOperands(0, 1);
  const bool whole = words.flag();
  const std::int64_t length = words.extent();
  if (whole) return std::make_unique<Fill<std::int32_t>>(words, length, static_cast<double>(words.within(-(1LL << 31), 1LL << 31)));
  return std::make_unique<Fill<Real>>(words, length, words.number());
}
template std::unique_ptr<Call> decodeFill<float>(CallReader&);
template std::unique_ptr<Call> decodeFill<double>(CallReader&);

}  // namespace gradpack
