// Rows that are too short for the choices that memcpy and fill make: 16 bytes at a time.
#pragma once
#include <cstdint>
#include <cstring>

namespace gradpack {

/// The last 16 bytes are copied again where they overlap.
template <class T> inline void copyShort(const T* x, T* y, std::int64_t n) {
  constexpr std::int64_t step = 16 / sizeof(T);
  if (n < step) {
    for (std::int64_t i = 0; i < n; i++) y[i] = x[i];
    return;
  }
  for (std::int64_t i = 0; i < n - step; i += step) std::memcpy(y + i, x + i, 16);
  std::memcpy(y + n - step, x + n - step, 16);
}

/// y[i] = x, i < n. Writes up to 16 bytes more where `room` >= n elements may be written.
template <class T> inline void fillShort(T x, T* y, std::int64_t n, std::int64_t room) {
  constexpr std::int64_t step = 16 / sizeof(T);
  T same[step];
  for (T& each : same) each = x;
  std::int64_t i = 0;
  for (; i < n && i + step <= room; i += step) std::memcpy(y + i, same, 16);
  for (; i < n; i++) y[i] = x;
}

}  // namespace gradpack
