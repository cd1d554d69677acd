#include "scratch.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "../failure.h"
#include "aligned.h"
#include "off-limits.h"

namespace gradpack {
namespace {

std::atomic<std::int64_t> held{0};

class Block {
 public:
  ~Block() { end(); }

  void* of(std::size_t bytes) {
    if (bytes_ < bytes || data_ == nullptr) {
      end();
      const std::size_t size = roundUp(bytes + cacheLine, cacheLine);
      data_ = alignedAllocate(size);
      if (data_ == nullptr) failOutOfMemory("no memory for " + std::to_string(size) + " bytes of working memory");
      bytes_ = size;
      held.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
    }
    limitTo(data_, bytes_, bytes);
    return data_;
  }

 private:
  void end() {
    giveBack(data_, bytes_);
    alignedFree(data_);
    held.fetch_sub(static_cast<std::int64_t>(bytes_), std::memory_order_relaxed);
    data_ = nullptr;
    bytes_ = 0;
  }

  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace

struct Workspace {
  std::array<Block, static_cast<std::size_t>(Scratch::count)> blocks;
};

namespace {

/// Workspaces that no run has; the last one that was given back is lent first.
class Shelf {
 public:
  Workspace* take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      Workspace* last = free_.back();
      free_.pop_back();
      return last;
    }
    free_.reserve(made_ + 1);  // all can be given back
    Workspace* made = new Workspace;
    made_++;
    return made;
  }
  void give(Workspace* workspace) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(workspace);
  }

 private:
  std::mutex mutex_;
  std::vector<Workspace*> free_;
  std::size_t made_ = 0;
};

Shelf& shelf() {
  static Shelf* const made = new Shelf;  // leaked on purpose: runs may go on while the process exits
  return *made;
}

thread_local Workspace own;
thread_local Workspace* borrowed = nullptr;

}  // namespace

BorrowedScratch::BorrowedScratch() : workspace_(shelf().take()) { borrowed = workspace_; }

BorrowedScratch::~BorrowedScratch() {
  borrowed = nullptr;
  shelf().give(workspace_);
}

void* scratchBytes(Scratch purpose, std::size_t bytes) { return (borrowed != nullptr ? *borrowed : own).blocks[static_cast<std::size_t>(purpose)].of(bytes); }

std::int64_t scratchHeld() { return held.load(std::memory_order_relaxed); }

}  // namespace gradpack
