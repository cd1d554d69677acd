#include "scratch.h"

#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include "../failure.h"
#include "aligned.h"
#include "off-limits.h"

namespace gradpack {
namespace {

std::atomic<std::int64_t> held{0};

class Block {
 public:
  Block() = default;
  Block(Block&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(data_, other.data_), std::swap(bytes_, other.bytes_);
    return *this;
  }
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

/// Workspaces that no run has, and how many keep them there.
class Shelf {
 public:
  /// The one that was given back last.
  std::unique_ptr<Workspace> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::unique_ptr<Workspace>& place : places_)
      if (place != nullptr) return std::move(place);
    return std::make_unique<Workspace>();
  }
  void give(std::unique_ptr<Workspace> workspace) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t i = 0; i < places_.size() && workspace != nullptr; i++) std::swap(places_[i], workspace);
  }

  void hold() {
    const std::lock_guard<std::mutex> lock(mutex_);
    holders_++;
  }
  void letGo() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--holders_ > 0) return;
    for (std::unique_ptr<Workspace>& place : places_) place.reset();
    ends_.fetch_add(1, std::memory_order_relaxed);
  }
  /// How often the last holder has let go.
  unsigned ends() const { return ends_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  /// As many as Node's own pool has threads by default: more runs at once are rare.
  std::array<std::unique_ptr<Workspace>, 4> places_;
  int holders_ = 0;
  std::atomic<unsigned> ends_{0};
};

Shelf& shelf() {
  static Shelf* const made = new Shelf;  // leaked on purpose: runs may go on while the process exits
  return *made;
}

/// What a thread has without borrowing, and which end of all holders it has seen.
struct Own {
  Workspace workspace;
  unsigned seen = 0;

  Workspace& current() {
    // no thread is in a task when the last holder lets go: whoever runs tasks holds
    if (seen != shelf().ends()) workspace = Workspace(), seen = shelf().ends();
    return workspace;
  }
};

thread_local Own own;
thread_local Workspace* borrowed = nullptr;

}  // namespace

ScratchHolder::ScratchHolder() { shelf().hold(); }

ScratchHolder::~ScratchHolder() { shelf().letGo(); }

BorrowedScratch::BorrowedScratch() : workspace_(shelf().take()), before_(std::exchange(borrowed, workspace_.get())) {}

BorrowedScratch::~BorrowedScratch() {
  borrowed = before_;
  shelf().give(std::move(workspace_));
}

void* scratchBytes(Scratch purpose, std::size_t bytes) { return (borrowed != nullptr ? *borrowed : own.current()).blocks[static_cast<std::size_t>(purpose)].of(bytes); }

std::int64_t scratchHeld() { return held.load(std::memory_order_relaxed); }

}  // namespace gradpack
