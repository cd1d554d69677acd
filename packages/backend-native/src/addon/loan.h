// A block that JavaScript owns as an ArrayBuffer, and that comes back when the garbage collector has found it: its pages are touched already.
#pragma once
#include <node_api.h>

#include <memory>

#include "heap.h"

namespace gradpack {

/// Ends the storage and hands its memory over. nullptr, and the storage goes on, where it is empty or the engine allows no such buffer.
/// No other ArrayBuffer may be on this memory.
napi_value handOver(napi_env env, const std::shared_ptr<Heap>& heap, double storage);

/// Ends a buffer that was handed over and takes its memory back at once: true. Others are left alone.
bool recycle(napi_env env, Heap& heap, napi_value buffer);

}  // namespace gradpack
