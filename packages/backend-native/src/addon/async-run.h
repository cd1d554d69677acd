// A run on a thread of libuv's pool, so that the calling thread stays free; Node waits for it when an environment ends.
#pragma once
#include <node_api.h>

#include <memory>

#include "heap.h"

namespace gradpack {

/// A promise of the seconds it took, or of −1 where it was stopped. One at a time per heap.
napi_value startRun(napi_env env, const std::shared_ptr<Heap>& heap, std::unique_ptr<BoundProgram> bound);

}  // namespace gradpack
