#include "loan.h"

#include "memory/aligned.h"
#include "memory/off-limits.h"
#include "napi-border.h"

namespace gradpack {
namespace {

struct Loan {
  std::weak_ptr<Heap> heap;
  MemoryBlock block;
};

/// Runs on the thread of the heap: a turn of the event loop after the garbage collection, or when the environment ends.
void takeBack(napi_env, void*, void* hint) noexcept {
  const std::unique_ptr<Loan> loan(static_cast<Loan*>(hint));
  const MemoryBlock block = loan->block;
  if (const std::shared_ptr<Heap> heap = loan->heap.lock()) {
    heap->takeBack(block);
    return;
  }
  giveBack(block.data, block.bytes);
  alignedFree(block.data);
}

}  // namespace

napi_value handOver(napi_env env, const std::shared_ptr<Heap>& heap, double handle) {
  const Storage storage = heap->storage(handle);
  if (storage.length == 0) return nullptr;
  if (heap->running != nullptr) failInternal("storage was handed over while a program runs, which may be bound to it");
  auto loan = std::make_unique<Loan>(Loan{heap, storage.block});
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, storage.block.data, static_cast<std::size_t>(storage.bytes()), takeBack, loan.get(), &buffer);
  if (status != napi_ok) {
    check(env, status == napi_no_external_buffers_allowed ? napi_ok : status);
    return nullptr;
  }
  loan.release();  // takeBack() ends it
  heap->lend(handle);
  return buffer;
}

}  // namespace gradpack
