// Evaluates a straight-line expression program (core's expression.ts) over runs of at most `lanes` elements: each instruction is one
// vector loop over registers that stay in L1, so interpreting costs a few nanoseconds per instruction and run.
#pragma once
#include "../isa/isa.h"
#include "../program/call.h"
#include "../program/strided.h"

namespace gradpack {

template <class Real> class Expression {
 public:
  static constexpr int lanes = 512;

  /// Reads the lanes of `inputs` and the expression's words. Strides run over `axes`, whose sizes are `shape`.
  Expression(CallReader& words, const Shape& shape);

  /// The order in which elements are numbered; by default the shape's own. `groups` split the axes: none is merged across a border.
  void orderBy(const std::vector<int>& axes);

  /// Registers of the calling thread.
  Real* registers() const;
  /// The values of elements [start, start + count), count <= lanes. In the registers, or where an input lies.
  const Real* evaluate(const Run& run, std::int64_t start, int count, Real* registers) const;

  /// Stride of the first input that is not constant along it, for choosing an order; 0 where there is none.
  std::ptrdiff_t stride(int axis) const;
  double flopsPerElement() const { return flops_; }
  int inputs() const { return static_cast<int>(sources_.size()); }

 private:
  enum class Kind { real, int32, coordinate };
  struct Source {
    Kind kind;
    Place place;
    Strides strides;
  };
  enum class Form { load, constant, unary, binary, where };
  struct Instruction {
    Form form;
    int op, out, a, b, c;
    Real value;
  };
  const Real* load(const Run& run, const Source& source, const Strides& strides, Odometer at, int count, Real* out) const;

  Shape shape_;
  std::vector<Source> sources_;
  Strided order_;
  std::vector<Instruction> instructions_;
  int registers_ = 1, result_ = 0;
  double flops_ = 0;
};

}  // namespace gradpack
