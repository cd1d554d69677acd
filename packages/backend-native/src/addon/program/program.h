// A program: buffers, scratch slots and calls. Decoded from words, validated as a whole, then immutable.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "call.h"

namespace gradpack {

/// What the calls of one kernel took.
struct KernelTime {
  double seconds = 0, calls = 0, flops = 0;
};
/// By the kernel's number.
using KernelTimes = std::vector<KernelTime>;

/// How far a run is, and whether it should stop; shared between the thread that runs and the one that asks.
struct Progress {
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
};

class Program {
 public:
  /// Throws GRADPACK-INTERNAL for words that are no valid program.
  Program(const double* words, std::size_t count);

  const std::vector<Buffer>& buffers() const { return buffers_; }
  std::size_t calls() const { return calls_.size(); }
  /// Bytes of all scratch slots, each on a cache line.
  std::size_t scratchBytes() const { return scratchBytes_; }
  /// A first guess of its duration.
  double seconds() const { return seconds_; }

  /// `base[i]` is where bound buffer i lies; scratch buffers are filled in here. Adds to `times`. False when stopped between two calls.
  bool run(std::vector<void*>& base, char* scratch, int threads, Progress& progress, KernelTimes& times) const;

 private:
  std::vector<Buffer> buffers_;
  struct ScratchSlot {
    std::size_t at, bytes;
  };
  std::vector<ScratchSlot> slots_;
  struct NumberedCall {
    std::size_t kernel;
    std::unique_ptr<Call> call;
    double flops;
  };
  std::vector<NumberedCall> calls_;
  std::size_t scratchBytes_ = 0;
  double seconds_ = 0;
};

}  // namespace gradpack
