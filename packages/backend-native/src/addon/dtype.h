// Element types, numbered as in encode.ts.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradpack {

enum class Dtype : int { float32 = 0, float64 = 1, int32 = 2 };

inline std::ptrdiff_t bytesPerElement(Dtype dtype) { return dtype == Dtype::float64 ? 8 : 4; }
inline const char* nameOf(Dtype dtype) { return dtype == Dtype::float32 ? "float32" : dtype == Dtype::float64 ? "float64" : "int32"; }

template <class T> constexpr Dtype dtypeOf();
template <> constexpr Dtype dtypeOf<float>() { return Dtype::float32; }
template <> constexpr Dtype dtypeOf<double>() { return Dtype::float64; }
template <> constexpr Dtype dtypeOf<std::int32_t>() { return Dtype::int32; }

}  // namespace gradpack
