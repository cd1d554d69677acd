#include "heap.h"

#include <chrono>
#include <cmath>

namespace gradpack {

bool BoundProgram::run() {
  const auto start = std::chrono::steady_clock::now();
  const auto measure = [&] { seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  try {
    const BorrowedScratch working;
    const bool done = program->run(base, static_cast<char*>(scratch.data), threads, progress, times);
    measure();
    return done;
  } catch (...) {
    measure();
    throw;
  }
}

Heap::~Heap() {
  storages_.each([this](Storage& storage) { pool_.give(storage.block); });
}

double Heap::allocate(Dtype dtype, double length) {
  if (!(length >= 0 && length <= static_cast<double>(mostElements)) || length != std::floor(length)) failInternal("a storage of " + std::to_string(length) + " elements was asked for");
  Storage storage;
  storage.dtype = dtype;
  storage.length = static_cast<std::int64_t>(length);
  storage.block = pool_.take(static_cast<std::size_t>(storage.bytes()));
  const std::int64_t bytes = storage.bytes();
  try {
    const double handle = storages_.add(storage);
    live_ += bytes;
    return handle;
  } catch (...) {
    pool_.give(storage.block);
    throw;
  }
}

void Heap::release(double handle) { pool_.give(end(handle).block); }

MemoryBlock Heap::lend(double handle) {
  const MemoryBlock block = end(handle).block;
  pool_.lend(block);
  return block;
}

Storage Heap::end(double handle) {
  if (running != nullptr) failInternal("storage was released while a program runs, which may be bound to it");
  const Storage storage = storages_.remove(handle);
  live_ -= storage.bytes();
  return storage;
}

double Heap::prepare(const double* words, std::size_t count) { return programs_.add(std::make_shared<const Program>(words, count)); }

std::unique_ptr<BoundProgram> Heap::bind(double handle, const double* handles, std::size_t count) {
  auto bound = std::make_unique<BoundProgram>();
  bound->program = programs_.at(handle);
  bound->threads = threads_;
  const std::vector<Buffer>& buffers = bound->program->buffers();
  if (count != buffers.size()) failInternal("the program has " + std::to_string(buffers.size()) + " buffers and " + std::to_string(count) + " were bound");
  bound->base.resize(buffers.size(), nullptr);
  for (std::size_t i = 0; i < buffers.size(); i++) {
    const Buffer& buffer = buffers[i];
    if (buffer.slot >= 0) continue;
    const Storage& storage = storages_.at(handles[i]);
    if (storage.dtype != buffer.dtype || storage.length < buffer.length)
      failInternal("buffer " + std::to_string(i) + " has " + std::to_string(buffer.length) + " elements of " + nameOf(buffer.dtype) + " and was bound to a storage of " + std::to_string(storage.length) +
                   " of " + nameOf(storage.dtype));
    bound->base[i] = storage.block.data;
  }
  bound->scratch = pool_.take(bound->program->scratchBytes());
  return bound;
}

void Heap::finish(BoundProgram& bound) {
  pool_.give(bound.scratch);
  seconds_ += bound.seconds;
  times_.resize(std::max(times_.size(), bound.times.size()));
  for (std::size_t i = 0; i < bound.times.size(); i++) {
    times_[i].seconds += bound.times[i].seconds;
    times_[i].calls += bound.times[i].calls;
    times_[i].flops += bound.times[i].flops;
  }
}

}  // namespace gradpack
