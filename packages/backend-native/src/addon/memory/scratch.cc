#include "scratch.h"

#include "../failure.h"
#include "aligned.h"
#include "off-limits.h"

namespace gradpack {
namespace {

struct Block {
  void* data = nullptr;
  std::size_t bytes = 0;
  ~Block() {
    giveBack(data, bytes);
    alignedFree(data);
  }
};

thread_local Block blocks[static_cast<int>(Scratch::count)];

}  // namespace

void* scratchBytes(Scratch purpose, std::size_t bytes) {
  Block& block = blocks[static_cast<int>(purpose)];
  if (block.bytes < bytes || block.data == nullptr) {
    giveBack(block.data, block.bytes);
    alignedFree(block.data);
    block.data = nullptr;
    block.bytes = 0;
    const std::size_t size = roundUp(bytes + bytes / 4 + cacheLine, cacheLine);
    block.data = alignedAllocate(size);
    if (block.data == nullptr) failOutOfMemory("no memory for " + std::to_string(size) + " bytes of working memory");
    block.bytes = size;
  }
  limitTo(block.data, block.bytes, bytes);
  return block.data;
}

}  // namespace gradpack
