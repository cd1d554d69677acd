// copy: y[Σ iₐ toₐ] (+)= x[Σ iₐ fromₐ].
#include "decoders.h"
#include "strided-copy.h"

namespace gradpack {
namespace {

template <class T> class Copy final : public Call {
 public:
  Copy(CallReader& words, const Shape& shape, const Shape& from, const Shape& to, bool accumulate)
      : copy_(shape, Strides(from.begin(), from.end()), Strides(to.begin(), to.end()), accumulate) {
    Extent read, written;
    for (std::size_t axis = 0; axis < shape.size(); axis++) {
      read.axis(shape[axis], from[axis]);
      written.axis(shape[axis], to[axis]);
    }
    x_ = words.read(0, dtypeOf<T>(), read);
    y_ = words.write(0, dtypeOf<T>(), written);
  }
  void run(const Run& run) const override { copy_.run(run, run.read<T>(x_), run.write<T>(y_)); }
  double bytes() const override { return copy_.bytes(); }

 private:
  StridedCopy<T> copy_;
  Place x_, y_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeCopy(CallReader& words) {
  words.expectOperands(1, 1);
  const Dtype dtype = static_cast<Dtype>(words.within(0, 3));
  const Shape shape = words.extents(words.count(mostAxes));
  const int axes = static_cast<int>(shape.size());
  const Shape from = words.numbers(axes), to = words.numbers(axes);
  const bool accumulate = words.flag();
  if (dtype == Dtype::int32) return std::make_unique<Copy<std::int32_t>>(words, shape, from, to, accumulate);
  if (dtype != words.precision) failInternal("it copies numbers of another precision");
  return std::make_unique<Copy<Real>>(words, shape, from, to, accumulate);
}
template std::unique_ptr<Call> decodeCopy<float>(CallReader&);
template std::unique_ptr<Call> decodeCopy<double>(CallReader&);

}  // namespace gradpack
