// Working memory of the calling thread: one growing block per purpose, 64-byte aligned. Threads of the pool keep theirs; runs are called
// from many threads (Node's own pool, workers), few at a time, and borrow one. A pointer is valid until the same thread asks for the
// same purpose again.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradpack {

/// `shared*` are for what a call prepares once for all its tasks, the others for one task: the caller's thread runs tasks too.
enum class Scratch { rows, columns, line, tile, product, registers, frame, image, sums, sharedRows, sharedColumns, sharedSums, sharedNorms, sharedLeft, sharedLeftList, sharedRight, sharedRightList, count };

/// Throws GRADPACK-OUT-OF-MEMORY.
void* scratchBytes(Scratch purpose, std::size_t bytes);

template <class T> T* scratch(Scratch purpose, std::ptrdiff_t count) { return static_cast<T*>(scratchBytes(purpose, static_cast<std::size_t>(count) * sizeof(T))); }

/// Bytes of all threads and of what is lent.
std::int64_t scratchHeld();

struct Workspace;

/// While it lives the calling thread's working memory is one that earlier runs have grown. Not nested.
class BorrowedScratch {
 public:
  BorrowedScratch();
  ~BorrowedScratch();
  BorrowedScratch(const BorrowedScratch&) = delete;
  BorrowedScratch& operator=(const BorrowedScratch&) = delete;

 private:
  Workspace* workspace_;
};

}  // namespace gradpack
