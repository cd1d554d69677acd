#include "program.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "../kernels/decoders.h"
#include "../memory/aligned.h"
#include "../memory/off-limits.h"

namespace gradpack {
namespace {

Dtype readDtype(Reader& words, Dtype precision) {
  const Dtype dtype = static_cast<Dtype>(words.within(0, 3));
  if (dtype != Dtype::int32 && dtype != precision) failInternal(std::string("a buffer is ") + nameOf(dtype) + " in a program of " + nameOf(precision));
  return dtype;
}

/// Per call, per floating-point operation and per byte; low on purpose, so that a first run that might be long leaves the calling thread.
double guess(const Call& call) { return 1e-6 + call.flops() / 20e9 + call.bytes() / 5e9; }

}  // namespace

Program::Program(const double* words, std::size_t count) {
  Reader reader(words, words + count);
  const Dtype precision = static_cast<Dtype>(reader.within(0, 2));
  struct Slot {
    Dtype dtype;
    std::int64_t length;
  };
  std::vector<Slot> slots;
  for (int i = 0, n = reader.count(); i < n; i++) {
    const Dtype dtype = readDtype(reader, precision);
    const std::int64_t length = reader.within(0, mostElements);
    slots.push_back({dtype, length});
    const std::size_t bytes = static_cast<std::size_t>(length * bytesPerElement(dtype));
    slots_.push_back({scratchBytes_, bytes});
    scratchBytes_ += roundUp(bytes, cacheLine) + redZone;
    if (scratchBytes_ > static_cast<std::size_t>(mostElements)) failInternal("the program's scratch memory is out of range");
  }
  for (int i = 0, n = reader.count(); i < n; i++) {
    const Dtype dtype = readDtype(reader, precision);
    const std::int64_t length = reader.within(0, mostElements);
    const int slot = static_cast<int>(reader.within(-1, static_cast<std::int64_t>(slots.size())));
    if (slot >= 0) {
      const Slot& holder = slots[static_cast<std::size_t>(slot)];
      if (length * bytesPerElement(dtype) > holder.length * bytesPerElement(holder.dtype)) failInternal("buffer " + std::to_string(i) + " is larger than its slot " + std::to_string(slot));
    }
    buffers_.push_back({dtype, length, slot});
  }
  for (int i = 0, n = reader.count(); i < n; i++) {
    const std::size_t number = static_cast<std::size_t>(reader.within(0, std::size(kernels)));
    const KernelEntry& kernel = kernels[number];
    const Reader part = reader.part(reader.within(0, mostElements));
    try {
      CallReader call(part, buffers_, precision);
      std::unique_ptr<Call> made = (precision == Dtype::float32 ? kernel.single : kernel.twice)(call);
      call.expectEnd();
      seconds_ += guess(*made);
      const double flops = made->flops();
      calls_.push_back({number, std::move(made), flops});
    } catch (const Failure& failure) {
      throw Failure(failure.code, "call " + std::to_string(i) + " (" + kernel.name + "): " + failure.what());
    }
  }
  reader.expectEnd();
}

bool Program::run(std::vector<void*>& base, char* scratch, int threads, Progress& progress, KernelTimes& times) const {
  setOffLimits(scratch, scratchBytes_);
  for (const ScratchSlot& slot : slots_) giveBack(scratch + slot.at, slot.bytes);
  for (std::size_t i = 0; i < buffers_.size(); i++)
    if (buffers_[i].slot >= 0) base[i] = scratch + slots_[static_cast<std::size_t>(buffers_[i].slot)].at;
  const Run run{base.data(), threads};
  using Clock = std::chrono::steady_clock;
  times.resize(std::size(kernels));
  Clock::time_point start = Clock::now();
  for (const NumberedCall& at : calls_) {
    if (progress.stop.load(std::memory_order_relaxed)) return false;
    at.call->run(run);
    progress.done.fetch_add(1, std::memory_order_relaxed);
    const Clock::time_point end = Clock::now();
    KernelTime& time = times[at.kernel];
    time.seconds += std::chrono::duration<double>(end - start).count();
    time.calls++;
    time.flops += at.flops;
    start = end;
  }
  return true;
}

}  // namespace gradpack
