#include "block-pool.h"

#include <algorithm>

#include "../failure.h"
#include "aligned.h"
#include "off-limits.h"

namespace gradpack {
namespace {

/// Eight sizes per doubling: at most an eighth of a block is wasted.
std::size_t classOf(std::size_t bytes) {
  std::size_t step = cacheLine;
  while (step * 16 <= bytes) step *= 2;
  return std::max(cacheLine, roundUp(bytes, step));
}

}  // namespace

BlockPool::~BlockPool() { freeKept(); }

void BlockPool::freeKept() {
  for (auto& [size, blocks] : free_)
    for (void* block : blocks) {
      giveBack(block, size);
      alignedFree(block);
    }
  free_.clear();
  kept_ = 0;
}

MemoryBlock BlockPool::take(std::size_t bytes) {
  const auto refuse = [&](const char* why) {
    failOutOfMemory("storage of " + std::to_string(bytes) + " bytes: " + why + " (" + std::to_string(used_) + " of " + std::to_string(limit_) + " allowed bytes are in use)");
  };
  if (bytes > limit_) refuse("more than is allowed");
  const std::size_t size = classOf(bytes);
  const auto kept = free_.find(size);
  if (kept != free_.end() && !kept->second.empty()) {
    void* block = kept->second.back();
    kept->second.pop_back();
    kept_ -= size;
    used_ += size;
    limitTo(block, size, bytes);
    return {block, size};
  }
  if (used_ + kept_ + size > limit_) freeKept();
  if (used_ + bytes > limit_) refuse("more than is allowed");
  void* block = alignedAllocate(size);
  if (block == nullptr) {
    freeKept();
    block = alignedAllocate(size);
  }
  if (block == nullptr) refuse("the system has no more");
  used_ += size;
  limitTo(block, size, bytes);
  return {block, size};
}

void BlockPool::give(MemoryBlock block) {
  used_ -= block.bytes;
  takeBack(block);
}

void BlockPool::takeBack(MemoryBlock block) {
  giveBack(block.data, block.bytes);
  if (kept_ + block.bytes > keep_ || used_ + kept_ + block.bytes > limit_) {
    alignedFree(block.data);
    return;
  }
  std::vector<void*>& blocks = free_[block.bytes];
  blocks.push_back(block.data);
  setOffLimits(block.data, block.bytes);
  kept_ += block.bytes;
}

}  // namespace gradpack
