#include "expression.h"

#include <algorithm>
#include <numeric>

#include "../memory/scratch.h"
#include "short-row.h"

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
    sources_.push_back({dtype == Dtype::int32 ? Kind::int32 : Kind::real, words.read(i, dtype, extent), Strides(strides.begin(), strides.end()), {}});
  }
  inputs_ = static_cast<int>(sources_.size());
  registers_ = static_cast<int>(words.within(1, mostRegisters));
  result_ = static_cast<int>(words.within(0, registers_));
  const auto registerIndex = [&] { return static_cast<int>(words.within(0, registers_)); };
  for (int i = 0, n = words.count(); i < n; i++) {
    Instruction instruction{};
    const int op = static_cast<int>(words.within(0, whereOp + 1));
    instruction.out = registerIndex();
    if (op == 0) {
      instruction.form = Form::load;
      instruction.a = static_cast<int>(words.within(0, inputs_));
    } else if (op == 1) {
      instruction.form = Form::constant;
      instruction.value = static_cast<Real>(words.number());
    } else if (op == 2) {
      // a coordinate is an input whose values are its offsets
      instruction.form = Form::load;
      instruction.a = static_cast<int>(sources_.size());
      Strides strides(static_cast<std::size_t>(axes), 0);
      strides[static_cast<std::size_t>(words.within(0, axes))] = 1;
      sources_.push_back({Kind::coordinate, {}, strides, {}});
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
  if (instructions_.size() == 1 && instructions_[0].form == Form::load && instructions_[0].out == result_) {
    const Source& source = sources_[static_cast<std::size_t>(instructions_[0].a)];
    if (source.kind == Kind::real) only_.push_back({source.place, source.strides});
  }
  std::vector<int> all(static_cast<std::size_t>(axes));
  std::iota(all.begin(), all.end(), 0);
  orderBy(all);
}

template <class Real> void Expression<Real>::orderBy(const std::vector<int>& axes) {
  Strided joint;
  for (const int axis : axes) joint.shape.push_back(shape_[static_cast<std::size_t>(axis)]);
  for (Source& source : sources_) {
    Strides strides;
    for (const int axis : axes) strides.push_back(source.strides[static_cast<std::size_t>(axis)]);
    source.runs = Runs(joint.shape, strides);
    joint.strides.push_back(strides);
  }
  joint.merge();
  row_ = joint.shape.back();
}

template <class Real> std::ptrdiff_t Expression<Real>::stride(int axis) const {
  for (const Source& source : sources_)
    if (source.kind != Kind::coordinate && source.strides[static_cast<std::size_t>(axis)] != 0) return source.strides[static_cast<std::size_t>(axis)];
  return 0;
}

template <class Real> std::int64_t Expression<Real>::reach(std::int64_t start, std::int64_t most) const {
  constexpr std::int64_t longRow = lanes / 4;  // shorter rows are cheaper to copy together than to evaluate one by one
  most = std::min<std::int64_t>(most, lanes);
  return row_ < longRow ? most : std::min(most, row_ - start % row_);
}

template <class Real> Real* Expression<Real>::registers() const { return scratch<Real>(Scratch::registers, static_cast<std::ptrdiff_t>(registers_) * lanes); }

template <class Real> typename Expression<Real>::Values Expression<Real>::load(const Run& run, const Source& source, std::int64_t start, int count, Real* out) const {
  const Runs& runs = source.runs;
  const std::ptrdiff_t step = runs.step();
  const bool together = runs.together(start, count), single = together && (step == 0 || count == 1);
  if (single) count = 1;
  if (source.kind == Kind::coordinate) {
    runs.each(start, count, [&](std::ptrdiff_t offset, std::int64_t done, std::int64_t n) {
      for (std::int64_t i = 0; i < n; i++) out[done + i] = static_cast<Real>(offset + i * step);
    });
    return {out, single};
  }
  if (source.kind == Kind::int32) {
    const std::int32_t* x = run.read<std::int32_t>(source.place);
    runs.each(start, count, [&](std::ptrdiff_t offset, std::int64_t done, std::int64_t n) {
      if (step == 1)
        for (std::int64_t i = 0; i < n; i++) out[done + i] = static_cast<Real>(x[offset + i]);
      else
        for (std::int64_t i = 0; i < n; i++) out[done + i] = static_cast<Real>(x[offset + i * step]);
    });
    return {out, single};
  }
  const Real* x = run.read<Real>(source.place);
  if (together && (step == 1 || single)) return {x + runs.at(start), single};
  // one loop each: rows can be short
  if (step == 0)  // the next row writes over what is too much
    runs.each(start, count, [&](std::ptrdiff_t offset, std::int64_t done, std::int64_t n) { fillShort(x[offset], out + done, n, count - done); });
  else if (step == 1)
    runs.eachPlate(start, count, [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::int64_t done, std::int64_t rows, std::int64_t n) { isa<Real>().elementwise.copyRows(x + offset, stride, out + done, n, rows, n); });
  else
    runs.each(start, count, [&](std::ptrdiff_t offset, std::int64_t done, std::int64_t n) {
      for (std::int64_t i = 0; i < n; i++) out[done + i] = x[offset + i * step];
    });
  return {out, false};
}

template <class Real> typename Expression<Real>::Values Expression<Real>::evaluate(const Run& run, std::int64_t start, int count, Real* registers, Real* result) const {
  const Elementwise<Real>& loops = isa<Real>().elementwise;
  const auto form = [](const Values& a, const Values& b) { return (a.single ? 1 : 0) + (b.single ? 2 : 0); };  // a `Single`
  Values value[mostRegisters];
  for (int i = 0; i < registers_; i++) value[i] = {registers + i * lanes, false};
  for (const Instruction& instruction : instructions_) {
    Values& to = value[instruction.out];
    Real* out = registers + instruction.out * lanes;
    if (instruction.form == Form::load) {
      to = load(run, sources_[static_cast<std::size_t>(instruction.a)], start, count, out);
      continue;
    }
    if (instruction.form == Form::constant) {
      to = {&instruction.value, true};
      continue;
    }
    const Values a = value[instruction.a], b = value[instruction.b], c = value[instruction.c];
    if (result && &instruction == &instructions_.back() && instruction.out == result_) out = result;
    if (instruction.form == Form::unary) {
      loops.unary[instruction.op](a.at, out, a.single ? 1 : count);
      to = {out, a.single};
    } else if (instruction.form == Form::binary) {
      const int singles = form(a, b);
      if (a.single && b.single) loops.binary[instruction.op][0](a.at, b.at, out, 1);
      else loops.binary[instruction.op][singles](a.at, b.at, out, count);
      to = {out, a.single && b.single};
    } else if (a.single) {
      to = *a.at != 0 ? b : c;
      if (to.at >= registers && to.at < registers + registers_ * lanes) {  // its register may be used again before this one
        std::copy_n(to.at, to.single ? 1 : count, out);
        to.at = out;
      }
    } else {
      loops.where[form(b, c)](a.at, b.at, c.at, out, count);
      to = {out, false};
    }
  }
  return value[result_];
}

template <class Real> const Real* Expression<Real>::row(const Run& run, std::int64_t start, int count, Real* registers) const {
  const Values values = evaluate(run, start, count, registers);
  if (!values.single || count == 1) return values.at;
  Real* row = registers + result_ * lanes;
  std::fill_n(row, count, Real(*values.at));
  return row;
}

template class Expression<float>;
template class Expression<double>;

}  // namespace gradpack
