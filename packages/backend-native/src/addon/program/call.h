// One kernel call of a program: decoded and validated once (`CallReader`), run many times without checks (`Call`).
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "../dtype.h"
#include "../threads/thread-pool.h"
#include "reader.h"

namespace gradpack {

/// An operand: an element of a numbered buffer.
struct Place {
  int buffer = 0;
  std::ptrdiff_t offset = 0;
};

struct Buffer {
  Dtype dtype;
  std::int64_t length;
  /// −1: bound by the caller.
  int slot;
};

/// What a call sees while it runs.
struct Run {
  void* const* base;
  int threads;

  template <class T> const T* read(Place place) const { return static_cast<const T*>(base[place.buffer]) + place.offset; }
  template <class T> T* write(Place place) const { return static_cast<T*>(base[place.buffer]) + place.offset; }
  template <class F> void parallel(std::ptrdiff_t count, const F& body) const { gradpack::parallel(threads, count, body); }
  /// [0, n) in runs of `grain` as body(from, to).
  template <class F> void parallelRanges(std::ptrdiff_t n, std::ptrdiff_t grain, const F& body) const {
    const std::ptrdiff_t count = (n + grain - 1) / grain;
    parallel(count, [&](std::ptrdiff_t i) { body(i * grain, i * grain + grain < n ? i * grain + grain : n); });
  }
};

class Call {
 public:
  virtual ~Call() = default;
  virtual void run(const Run& run) const = 0;
  /// Rough work, for the first guess of a program's duration.
  virtual double flops() const { return 0; }
  virtual double bytes() const = 0;
};

/// The words of one call. Operands are checked against their buffers as the kernel asks for them.
class CallReader : public Reader {
 public:
  CallReader(const Reader& words, const std::vector<Buffer>& buffers, Dtype precision);

  const Dtype precision;
  int readCount() const { return static_cast<int>(reads_.size()); }
  int writeCount() const { return static_cast<int>(writes_.size()); }
  void expectOperands(int reads, int writes) const;
  /// Operand `index`, which holds `dtype` and of which the call touches `extent`.
  Place read(int index, Dtype dtype, const Extent& extent) const { return place(reads_, "reads", index, dtype, extent); }
  Place write(int index, Dtype dtype, const Extent& extent) const { return place(writes_, "writes", index, dtype, extent); }

 private:
  Place place(const std::vector<Place>& of, const char* name, int index, Dtype dtype, const Extent& extent) const;
  const std::vector<Buffer>& buffers_;
  std::vector<Place> reads_, writes_;
};

using Decoder = std::unique_ptr<Call> (*)(CallReader&);

}  // namespace gradpack
