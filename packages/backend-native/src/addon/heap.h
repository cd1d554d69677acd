// One backend's storages and programs. Touched by its JavaScript thread only: a run that goes on elsewhere got its pointers before.
#pragma once
#include <memory>
#include <unordered_map>

#include "dtype.h"
#include "memory/block-pool.h"
#include "memory/handle-table.h"
#include "memory/scratch.h"
#include "program/program.h"

namespace gradpack {

struct Storage {
  MemoryBlock block;
  Dtype dtype = Dtype::float32;
  std::int64_t length = 0;
  std::int64_t bytes() const { return length * bytesPerElement(dtype); }
};

struct Loan;

/// A program with its buffers resolved and its scratch memory taken.
struct BoundProgram {
  std::shared_ptr<const Program> program;
  std::vector<void*> base;
  MemoryBlock scratch;
  int threads = 1;
  Progress progress;
  double seconds = 0;
  KernelTimes times;

  /// Runs on the calling thread; false when stopped. Measures itself.
  bool run();
};

class Heap {
 public:
  Heap(std::uint32_t serial, std::size_t limit, std::size_t keep, int threads) : pool_(limit, keep), storages_(serial, "storage"), programs_(serial, "program"), threads_(threads) {}
  ~Heap();

  double allocate(Dtype dtype, double length);
  void release(double handle);
  /// Ends a storage whose block somebody else owns from now on, until `takeBack`.
  MemoryBlock lend(double handle);
  void takeBack(MemoryBlock block) { pool_.takeBack(block); }

  /// Blocks that are lent, by where they lie.
  std::unordered_map<const void*, Loan*> loans;
  Storage& storage(double handle) { return storages_.at(handle); }

  double prepare(const double* words, std::size_t count);
  const Program& program(double handle) { return *programs_.at(handle); }
  void dispose(double handle) { programs_.remove(handle); }

  /// Resolves `handles`, one per buffer (what stands for scratch buffers is not looked at). `finish` must follow.
  std::unique_ptr<BoundProgram> bind(double program, const double* handles, std::size_t count);
  void finish(BoundProgram& bound);

  std::int64_t liveBytes() const { return live_; }
  std::size_t keptBytes() const { return pool_.kept(); }
  std::size_t programs() const { return programs_.count(); }
  int threads() const { return threads_; }
  double seconds() const { return seconds_; }
  /// Of all runs so far.
  const KernelTimes& times() const { return times_; }

  /// The run that goes on elsewhere.
  BoundProgram* running = nullptr;

 private:
  Storage end(double handle);

  BlockPool pool_;
  HandleTable<Storage> storages_;
  HandleTable<std::shared_ptr<const Program>> programs_;
  const ScratchHolder scratch_;
  const int threads_;
  std::int64_t live_ = 0;
  double seconds_ = 0;
  KernelTimes times_;
};

}  // namespace gradpack
