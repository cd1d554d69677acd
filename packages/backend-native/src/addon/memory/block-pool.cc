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

/// Blocks of a size that are taken back before what was not needed among them is freed.
constexpr int returnsPerTrim = 32;

}  // namespace

BlockPool::~BlockPool() { freeKept(); }

void BlockPool::freeKept() {
  for (auto& [size, kept] : free_)
    for (void* block : kept.blocks) free(block, size);
  free_.clear();
}

void BlockPool::free(void* block, std::size_t bytes) {
  giveBack(block, bytes);
  alignedFree(block);
  kept_ -= bytes;
}

MemoryBlock BlockPool::take(std::size_t bytes) {
  const auto refuse = [&](const char* why) {
    failOutOfMemory("storage of " + std::to_string(bytes) + " bytes: " + why + " (" + std::to_string(used_) + " of " + std::to_string(limit_) + " allowed bytes are in use)");
  };
  if (bytes > limit_) refuse("more than is allowed");
  const std::size_t size = classOf(bytes);
  const auto kept = free_.find(size);
  if (kept != free_.end() && !kept->second.blocks.empty()) {
    std::vector<void*>& blocks = kept->second.blocks;
    void* block = blocks.back();
    blocks.pop_back();
    kept->second.fewest = std::min(kept->second.fewest, blocks.size());
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
  keep(block);
}

void BlockPool::takeBack(MemoryBlock block) {
  keep(block);
  const auto kept = free_.find(block.bytes);
  if (kept == free_.end() || ++kept->second.returns < returnsPerTrim) return;
  auto& [blocks, fewest, returns] = kept->second;
  const auto end = blocks.begin() + static_cast<std::ptrdiff_t>(fewest);  // the last one is used first
  std::for_each(blocks.begin(), end, [&](void* unneeded) { free(unneeded, block.bytes); });
  blocks.erase(blocks.begin(), end);
  fewest = blocks.size();
  returns = 0;
}

bool BlockPool::remember(MemoryBlock block) noexcept {
  try {
    free_[block.bytes].blocks.push_back(block.data);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void BlockPool::keep(MemoryBlock block) {
  const std::size_t kept = kept_ + block.bytes;
  const bool fits = kept <= keep_ && used_ + kept <= limit_;
  kept_ = kept;  // as free() expects
  if (!fits || !remember(block)) {
    free(block.data, block.bytes);
    return;
  }
  giveBack(block.data, block.bytes);
  setOffLimits(block.data, block.bytes);
}

}  // namespace gradpack
