// Included first (scripts/sanitize.mjs), std::int64_t is another type than std::ptrdiff_t, as it is on macOS: what mixes the two in one
// std::min does not compile.
#pragma once
#include <cstddef>
#include <cstdint>

using LongLong = long long;
namespace std {
using ::LongLong;
}
#define int64_t LongLong
