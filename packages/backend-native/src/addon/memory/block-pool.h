// Blocks of memory by size class, kept for reuse: fresh pages cost more than most kernels (aligned.h).
#pragma once
#include <cstddef>
#include <map>
#include <vector>

namespace gradpack {

struct MemoryBlock {
  void* data = nullptr;
  std::size_t bytes = 0;
};

class BlockPool {
 public:
  /// `limit`: bytes of blocks in use and kept together; `keep`: most bytes that are kept.
  BlockPool(std::size_t limit, std::size_t keep) : limit_(limit), keep_(keep) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// At least `bytes`, uninitialised, 64-byte aligned. Throws GRADPACK-OUT-OF-MEMORY.
  MemoryBlock take(std::size_t bytes);
  void give(MemoryBlock block);
  /// A block in use is somebody else's from now on and counts no more, until it is taken back.
  void lend(MemoryBlock block) { used_ -= block.bytes; }
  /// When borrowers are done is chance, and so is how many blocks are away at most: those that nobody needed for a while are freed.
  void takeBack(MemoryBlock block);
  /// Bytes kept for reuse.
  std::size_t kept() const { return kept_; }

 private:
  struct FreeBlocks {
    std::vector<void*> blocks;
    /// The fewest that there were since `returns` was 0: so many were not needed.
    std::size_t fewest = 0;
    int returns = 0;
  };
  void freeKept();
  void keep(MemoryBlock block);
  /// False where there is no memory for the list of free blocks.
  bool remember(MemoryBlock block) noexcept;
  void free(void* block, std::size_t bytes);
  const std::size_t limit_, keep_;
  std::size_t used_ = 0, kept_ = 0;
  std::map<std::size_t, FreeBlocks> free_;
};

}  // namespace gradpack
