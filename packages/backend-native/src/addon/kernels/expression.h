// Evaluates a straight-line expression program (core's expression.ts) over runs of at most `lanes` elements: each instruction is one
// vector loop over registers that stay in L1, so interpreting costs a few nanoseconds per instruction and run. What need not be copied
// is not: a contiguous input is read where it lies, and what is the same for a whole run (constants, broadcast inputs, what is
// computed from them) stays one number.
#pragma once
#include "../isa/isa.h"
#include "../program/call.h"
#include "../program/strided.h"

namespace gradpack {

template <class Real> class Expression {
 public:
  static constexpr int lanes = 4096 / sizeof(Real);

  /// The values of a run: a row, or one number for all.
  struct Values {
    const Real* at;
    bool single;
  };

  /// Reads the lanes of `inputs` and the expression's words. Strides run over `axes`, whose sizes are `shape`.
  Expression(CallReader& words, const Shape& shape);

  /// The order in which elements are numbered; by default the shape's own.
  void orderBy(const std::vector<int>& axes);

  /// Registers of the calling thread.
  Real* registers() const;
  /// The values of elements [start, start + count), count <= lanes. They lie in the registers, where an input lies, or, if they can
  /// be computed there, in `result` (count elements, or null).
  Values evaluate(const Run& run, std::int64_t start, int count, Real* registers, Real* result = nullptr) const;
  /// The same as a row.
  const Real* row(const Run& run, std::int64_t start, int count, Real* registers) const;

  /// Elements that are best evaluated together from `start` on: at most `most`, and not beyond a long row's end.
  std::int64_t reach(std::int64_t start, std::int64_t most) const;
  /// The innermost axis after merging: elements of a row.
  std::int64_t rowLength() const { return row_; }

  /// Where the expression is nothing but an input of its own precision, that input.
  struct Input {
    Place place;
    Strides strides;
  };
  const Input* onlyInput() const { return only_.empty() ? nullptr : only_.data(); }

  /// Stride of the first input that is not constant along it, for choosing an order; 0 where there is none.
  std::ptrdiff_t stride(int axis) const;
  double flopsPerElement() const { return flops_; }
  /// A rough estimate, inputs from memory.
  double nanosecondsPerElement() const { return (0.03 * flops_ + 0.2 * (inputs() + 1)) * sizeof(Real) / 4; }
  int inputs() const { return inputs_; }

 private:
  enum class Kind { real, int32, coordinate };
  struct Source {
    Kind kind;
    Place place;
    Strides strides;
    Runs runs;
  };
  enum class Form { load, constant, unary, binary, where };
  struct Instruction {
    Form form;
    int op, out, a, b, c;
    Real value;
  };
  Values load(const Run& run, const Source& source, std::int64_t start, int count, Real* out) const;

  Shape shape_;
  std::vector<Source> sources_;
  std::vector<Input> only_;
  std::vector<Instruction> instructions_;
  std::int64_t row_ = 1;
  int inputs_ = 0, registers_ = 1, result_ = 0;
  double flops_ = 0;
};

}  // namespace gradpack
