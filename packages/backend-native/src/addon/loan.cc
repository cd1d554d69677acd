#include "loan.h"

#include "memory/aligned.h"
#include "memory/off-limits.h"
#include "napi-border.h"

namespace gradpack {

struct Loan {
  std::weak_ptr<Heap> heap;
  /// Nothing once it was taken back.
  MemoryBlock block;
};

namespace {

/// Runs on the thread of the heap: a turn of the event loop after the garbage collection, or when the environment ends.
void takeBack(napi_env, void*, void* hint) noexcept {
  const std::unique_ptr<Loan> loan(static_cast<Loan*>(hint));
  const MemoryBlock block = loan->block;
  if (block.data == nullptr) return;
  if (const std::shared_ptr<Heap> heap = loan->heap.lock()) {
    heap->loans.erase(block.data);
    heap->takeBack(block);
    return;
  }
  giveBack(block.data, block.bytes);
  alignedFree(block.data);
}

/// Bytes; backend.ts has the same limit.
constexpr std::int64_t mostHandedOver = std::int64_t{1} << 31;

}  // namespace

napi_value handOver(napi_env env, const std::shared_ptr<Heap>& heap, double handle) {
  const Storage storage = heap->storage(handle);
  // what engines refuse as too large Node 20 finalizes and reports as an error as well
  if (storage.length == 0 || storage.bytes() > mostHandedOver) return nullptr;
  if (heap->running != nullptr) failInternal("storage was handed over while a program runs, which may be bound to it");
  auto loan = std::make_unique<Loan>(Loan{heap, storage.block});
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, storage.block.data, static_cast<std::size_t>(storage.bytes()), takeBack, loan.get(), &buffer);
  if (status != napi_ok) {
    check(env, status == napi_no_external_buffers_allowed ? napi_ok : status);
    return nullptr;
  }
  // the buffer exists: takeBack() ends the loan, whatever comes now
  Loan* const made = loan.release();
  heap->lend(handle);
  heap->loans[made->block.data] = made;
  return buffer;
}

bool recycle(napi_env env, Heap& heap, napi_value buffer) {
  void* data = nullptr;
  std::size_t bytes = 0;
  bool is = false;
  if (napi_is_arraybuffer(env, buffer, &is) != napi_ok || !is) throw WrongArgument("argument 1 is not an ArrayBuffer");
  check(env, napi_get_arraybuffer_info(env, buffer, &data, &bytes));
  const auto found = heap.loans.find(data);
  if (data == nullptr || found == heap.loans.end()) return false;
  check(env, napi_detach_arraybuffer(env, buffer));
  heap.takeBack(found->second->block);
  found->second->block = {};
  heap.loans.erase(found);
  return true;
}

}  // namespace gradpack
