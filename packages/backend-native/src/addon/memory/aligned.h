// Memory from the operating system: cache-line aligned, huge pages where a block is large (first touch of 92 MB costs 62 ms with 4 kB
// pages and 13 ms with 2 MB ones, knowledge/native-outer.md).
#pragma once
#include <cstddef>

namespace gradpack {

constexpr std::size_t cacheLine = 64;

/// nullptr where there is none. `bytes` must be a multiple of 64.
void* alignedAllocate(std::size_t bytes);
void alignedFree(void* block);

constexpr std::size_t hugePage = std::size_t{1} << 21;
/// Asks that pages of this memory which nobody touched yet be huge ones.
void preferHugePages(void* memory, std::size_t bytes);

inline std::size_t roundUp(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace gradpack
