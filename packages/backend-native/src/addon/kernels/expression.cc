#include "expression.h"

#include <algorithm>
#include <numeric>

#include "../memory/scratch.h"

namespace gradpack {
namespace {

/// Instructions as encode.ts numbers them: three leaves, then UNARY_OPS, then BINARY_OPS, then where.
constexpr int firstUnary = 3, firstBinary = firstUnary + static_cast<int>(UnaryOp::count), whereOp = firstBinary + static_cast<int>(BinaryOp::count);
constexpr int mostRegisters = 256;

}  // namespace

template <class Real> Expression<Real>::Expression(CallReader& words, const Shape& shape) : shape_(shape) {
  const int axes = static_cast<int>(shape.size());
  for (int i = 0, n = words.count(64); i < n; i++) {
    const Dtype dtype = static_cast<Dtype>(words.within(0, 3));
    if (dtype != Dtype::int32 && dtype != words.precision) failInternal("an input has the wrong dtype");
    const Shape strides = words.numbers(axes);
    Extent extent;
    for (int axis = 0; axis < axes; axis++) extent.axis(shape[static_cast<std::size_t>(axis)], strides[static_cast<std::size_t>(axis)]);
    sources_.push_back({dtype == Dtype::int32 ? Kind::int32 : Kind::real, words.read(i, dtype, extent), Strides(strides.begin(), strides.end())});
  }
  const int inputs = this->inputs();
  registers_ = static_cast<int>(words.within(1, mostRegisters));
  result_ = static_cast<int>(words.within(0, registers_));
  const auto registerIndex = [&] { return static_cast<int>(words.within(0, registers_)); };
  for (int i = 0, n = words.count(); i < n; i++) {
    Instruction instruction{};
    const int op = static_cast<int>(words.within(0, whereOp + 1));
    instruction.out = registerIndex();
    if (op == 0) {
      instruction.form = Form::load;
      instruction.a = static_cast<int>(words.within(0, inputs));
    } else if (op == 1) {
      instruction.form = Form::constant;
      instruction.value = static_cast<Real>(words.number());
    } else if (op == 2) {
      // a coordinate is an input whose values are its offsets
      instruction.form = Form::load;
      instruction.a = this->inputs();
      Strides strides(static_cast<std::size_t>(axes), 0);
      strides[static_cast<std::size_t>(words.within(0, axes))] = 1;
      sources_.push_back({Kind::coordinate, {}, strides});
    } else if (op < firstBinary) {
      instruction.form = Form::unary;
      instruction.op = op - firstUnary;
      instruction.a = registerIndex();
      flops_ += 10;
    } else {
      instruction.form = op == whereOp ? Form::where : Form::binary;
      instruction.op = op - firstBinary;
      instruction.a = registerIndex();
      instruction.b = registerIndex();
      if (op == whereOp) instruction.c = registerIndex();
      flops_ += 2;
    }
    instructions_.push_back(instruction);
  }
  std::vector<int> all(static_cast<std::size_t>(axes));
  std::iota(all.begin(), all.end(), 0);
  orderBy(all);
}

template <class Real> void Expression<Real>::orderBy(const std::vector<int>& axes) {
  order_ = {};
  for (const int axis : axes) order_.shape.push_back(shape_[static_cast<std::size_t>(axis)]);
  for (const Source& source : sources_) {
    Strides strides;
    for (const int axis : axes) strides.push_back(source.strides[static_cast<std::size_t>(axis)]);
    order_.strides.push_back(strides);
  }
  order_.merge();
}

template <class Real> std::ptrdiff_t Expression<Real>::stride(int axis) const {
  for (const Source& source : sources_)
    if (source.kind != Kind::coordinate && source.strides[static_cast<std::size_t>(axis)] != 0) return source.strides[static_cast<std::size_t>(axis)];
  return 0;
}

template <class Real> Real* Expression<Real>::registers() const { return scratch<Real>(Scratch::registers, static_cast<std::ptrdiff_t>(registers_) * lanes); }

template <class Real> const Real* Expression<Real>::load(const Run& run, const Source& source, const Strides& strides, Odometer at, int count, Real* out) const {
  const std::ptrdiff_t step = strides.back();
  for (int done = 0; done < count;) {
    const int n = static_cast<int>(std::min<std::int64_t>(count - done, at.left()));
    const std::ptrdiff_t offset = at.offset(strides);
    Real* to = out + done;
    if (source.kind == Kind::real) {
      const Real* from = run.read<Real>(source.place) + offset;
      if (n == count && step == 1) return from;
      if (step == 0) std::fill_n(to, n, *from);
      else for (int i = 0; i < n; i++) to[i] = from[i * step];
    } else if (source.kind == Kind::int32) {
      const std::int32_t* from = run.read<std::int32_t>(source.place) + offset;
      for (int i = 0; i < n; i++) to[i] = static_cast<Real>(from[i * step]);
    } else {
      for (int i = 0; i < n; i++) to[i] = static_cast<Real>(offset + i * step);
    }
    done += n;
    at.advance(n);
  }
  return out;
}

template <class Real> const Real* Expression<Real>::evaluate(const Run& run, std::int64_t start, int count, Real* registers) const {
  const Elementwise<Real>& loops = isa<Real>().elementwise;
  const Odometer at(order_.shape, start);
  const Real* value[mostRegisters];
  for (int i = 0; i < registers_; i++) value[i] = registers + i * lanes;
  for (const Instruction& instruction : instructions_) {
    Real* out = registers + instruction.out * lanes;
    const Real* a = value[instruction.a < registers_ ? instruction.a : 0];
    switch (instruction.form) {
      case Form::load: {
        const std::size_t source = static_cast<std::size_t>(instruction.a);
        value[instruction.out] = load(run, sources_[source], order_.strides[source], at, count, out);
        continue;
      }
      case Form::constant:
        std::fill_n(out, count, instruction.value);
        break;
      case Form::unary:
        loops.unary[instruction.op](a, out, count);
        break;
      case Form::binary:
        loops.binary[instruction.op](a, value[instruction.b], out, count);
        break;
      case Form::where:
        loops.where(a, value[instruction.b], value[instruction.c], out, count);
        break;
    }
    value[instruction.out] = out;
  }
  return value[result_];
}

template class Expression<float>;
template class Expression<double>;

}  // namespace gradpack
