// Working memory of the calling thread: one growing block per purpose, 64-byte aligned. Threads of the pool have their own; runs are
// called from many threads (Node's own pool, workers), few at a time, and borrow theirs. A pointer is valid until the same thread asks for
// the same purpose again, and no longer than what was borrowed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace gradpack {

/// `shared*` are for what a call prepares once for all its tasks, the others for one task: the caller's thread runs tasks too.
enum class Scratch { rows, columns, line, tile, product, registers, frame, image, sums, sharedRows, sharedColumns, sharedSums, sharedNorms, sharedLeft, sharedLeftList, sharedRight, sharedRightList, count };

/// Throws GRADPACK-OUT-OF-MEMORY.
void* scratchBytes(Scratch purpose, std::size_t bytes);

template <class T> T* scratch(Scratch purpose, std::ptrdiff_t count) { return static_cast<T*>(scratchBytes(purpose, static_cast<std::size_t>(count) * sizeof(T))); }

/// Bytes of all threads, lent or not.
std::int64_t scratchHeld();

/// Working memory is kept for the next run while anybody has one of these.
class ScratchHolder {
 public:
  ScratchHolder();
  ~ScratchHolder();
  ScratchHolder(const ScratchHolder&) = delete;
  ScratchHolder& operator=(const ScratchHolder&) = delete;
};

struct Workspace;

/// While it lives the calling thread's working memory is one that earlier runs have grown.
class BorrowedScratch {
 public:
  BorrowedScratch();
  ~BorrowedScratch();
  BorrowedScratch(const BorrowedScratch&) = delete;
  BorrowedScratch& operator=(const BorrowedScratch&) = delete;

 private:
  std::unique_ptr<Workspace> workspace_;
  Workspace* before_;
};

}  // namespace gradpack
