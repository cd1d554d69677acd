// The addon's functions. Every one takes the number of a heap (one per backend) first. JavaScript keeps the order of operations
// (backend.ts); here each is checked, done at once, and cannot harm memory whatever is passed.
#include <node_api.h>

#include <atomic>
#include <cmath>
#include <map>
#include <utility>

#include "async-run.h"
#include "heap.h"
#include "isa/isa.h"
#include "loan.h"
#include "memory/bulk-copy.h"
#include "memory/scratch.h"
#include "napi-border.h"

namespace gradpack {
namespace {

/// Grows whenever the functions here or the words of a program change; loader.ts refuses an addon with another.
constexpr double interfaceVersion = 5;

/// What one environment (main thread or worker) owns.
struct Environment {
  std::map<double, std::shared_ptr<Heap>> heaps;
};

std::uint32_t nextSerial() {
  static std::atomic<std::uint32_t>* const serial = new std::atomic<std::uint32_t>{0};
  return serial->fetch_add(1) + 1;
}

const std::shared_ptr<Heap>& heapOf(napi_env env, double serial) {
  void* data = nullptr;
  check(env, napi_get_instance_data(env, &data));
  auto& heaps = static_cast<Environment*>(data)->heaps;
  const auto found = std::isfinite(serial) ? heaps.find(serial) : heaps.end();  // NaN equals every key
  if (found == heaps.end()) throw Failure("GRADPACK-DISPOSED", "this backend was disposed or belongs to another thread");
  return found->second;
}

Dtype dtypeArgument(double number) { return static_cast<Dtype>(static_cast<int>(number)); }

napi_value createHeap(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<3> arguments(env, info);
    const double limit = arguments.whole(0, static_cast<double>(mostElements)), keep = arguments.whole(1, static_cast<double>(mostElements)), threads = arguments.whole(2, mostThreads);
    void* data = nullptr;
    check(env, napi_get_instance_data(env, &data));
    const std::uint32_t serial = nextSerial();
    static_cast<Environment*>(data)->heaps.emplace(serial, std::make_shared<Heap>(serial, static_cast<std::size_t>(limit), static_cast<std::size_t>(keep), threads < 1 ? 1 : static_cast<int>(threads)));
    return numberValue(env, serial);
  });
}

napi_value destroyHeap(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> arguments(env, info);
    const double serial = arguments.number(0);
    if (heapOf(env, serial)->running != nullptr) failInternal("a backend was disposed while a program runs");
    void* data = nullptr;
    check(env, napi_get_instance_data(env, &data));
    static_cast<Environment*>(data)->heaps.erase(serial);
    return nullptr;
  });
}

napi_value allocate(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<3> arguments(env, info);
    return numberValue(env, heapOf(env, arguments.number(0))->allocate(dtypeArgument(arguments.whole(1, 2)), arguments.number(2)));
  });
}

napi_value release(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    heapOf(env, arguments.number(0))->release(arguments.number(1));
    return nullptr;
  });
}

/// The numbers from element `offset` on, if `length` of that dtype lie there.
char* range(Storage& storage, double offset, const Numbers& numbers) {
  if (storage.dtype != numbers.dtype) throw WrongArgument(std::string("the storage holds ") + nameOf(storage.dtype) + ", the array " + nameOf(numbers.dtype));
  if (offset + static_cast<double>(numbers.length) > static_cast<double>(storage.length))
    throw WrongArgument("elements " + std::to_string(static_cast<std::int64_t>(offset)) + " to " + std::to_string(static_cast<std::int64_t>(offset) + static_cast<std::int64_t>(numbers.length)) +
                        " of a storage of " + std::to_string(storage.length));
  return static_cast<char*>(storage.block.data) + static_cast<std::int64_t>(offset) * bytesPerElement(storage.dtype);
}

napi_value write(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> arguments(env, info);
    const Numbers from = arguments.numbers(2);
    Heap& heap = *heapOf(env, arguments.number(0));
    bulkCopy(heap.threads(), range(heap.storage(arguments.number(1)), 0, from), from.data, from.length * static_cast<std::size_t>(bytesPerElement(from.dtype)));
    return nullptr;
  });
}

napi_value read(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> arguments(env, info);
    const Numbers to = arguments.numbers(3);
    Heap& heap = *heapOf(env, arguments.number(0));
    const char* from = range(heap.storage(arguments.number(1)), arguments.whole(2, static_cast<double>(mostElements)), to);
    bulkCopy(heap.threads(), to.data, from, to.length * static_cast<std::size_t>(bytesPerElement(to.dtype)));
    return nullptr;
  });
}

/// An ArrayBuffer on the storage itself, or undefined where the engine allows none. Must be detached before release.
napi_value view(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const Storage& storage = heapOf(env, arguments.number(0))->storage(arguments.number(1));
    napi_value buffer = nullptr;
    const napi_status status = napi_create_external_arraybuffer(env, storage.block.data, static_cast<std::size_t>(storage.bytes()), nullptr, nullptr, &buffer);
    return status == napi_ok ? buffer : nullptr;
  });
}

/// The storage's memory as an ArrayBuffer that owns it, and the storage ends; undefined, and it goes on, where that cannot be.
napi_value take(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    return handOver(env, heapOf(env, arguments.number(0)), arguments.number(1));
  });
}

/// Takes back what `take` gave: true; other buffers are left alone.
napi_value recycle(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    napi_value taken = nullptr;
    check(env, napi_get_boolean(env, gradpack::recycle(env, *heapOf(env, arguments.number(0)), arguments.value(1)), &taken));
    return taken;
  });
}

napi_value detach(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> arguments(env, info);
    if (napi_detach_arraybuffer(env, arguments.value(0)) != napi_ok) throw WrongArgument("argument 0 cannot be detached");
    return nullptr;
  });
}

napi_value prepare(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<2> arguments(env, info);
    const Numbers words = arguments.numbers(1);
    if (words.dtype != Dtype::float64) throw WrongArgument("argument 1 is not a Float64Array");
    return numberValue(env, heapOf(env, arguments.number(0))->prepare(static_cast<const double*>(words.data), words.length));
  });
}

napi_value estimate(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<2> arguments(env, info);
    return numberValue(env, heapOf(env, arguments.number(0))->program(arguments.number(1)).seconds());
  });
}

napi_value dispose(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    heapOf(env, arguments.number(0))->dispose(arguments.number(1));
    return nullptr;
  });
}

std::unique_ptr<BoundProgram> bind(Heap& heap, const Arguments<3>& arguments) {
  const Numbers handles = arguments.numbers(2);
  if (handles.dtype != Dtype::float64) throw WrongArgument("argument 2 is not a Float64Array");
  if (heap.running != nullptr) failInternal("a program was run while another runs");
  return heap.bind(arguments.number(1), static_cast<const double*>(handles.data), handles.length);
}

/// Runs on the calling thread; the seconds it took.
napi_value run(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<3> arguments(env, info);
    Heap& heap = *heapOf(env, arguments.number(0));
    const std::unique_ptr<BoundProgram> bound = bind(heap, arguments);
    try {
      bound->run();
    } catch (...) {
      heap.finish(*bound);
      throw;
    }
    heap.finish(*bound);
    return numberValue(env, bound->seconds);
  });
}

napi_value runAsync(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<3> arguments(env, info);
    const std::shared_ptr<Heap>& heap = heapOf(env, arguments.number(0));
    return startRun(env, heap, bind(*heap, arguments));
  });
}

/// Asks the run that goes on to stop before its next call.
napi_value stop(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> arguments(env, info);
    BoundProgram* running = heapOf(env, arguments.number(0))->running;
    if (running != nullptr) running->progress.stop = true;
    return nullptr;
  });
}

/// How many calls of the run that goes on are done.
napi_value progress(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    const BoundProgram* running = heapOf(env, arguments.number(0))->running;
    return numberValue(env, running == nullptr ? 0 : running->progress.done.load());
  });
}

/// Bytes live and kept, programs, seconds in kernels, bytes of working memory.
napi_value statistics(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const Heap& heap = *heapOf(env, arguments.number(0));
    const Numbers to = arguments.numbers(1);
    if (to.dtype != Dtype::float64 || to.length < 5) throw WrongArgument("argument 1 is not a Float64Array of 5");
    double* out = static_cast<double*>(to.data);
    out[0] = static_cast<double>(heap.liveBytes());
    out[1] = static_cast<double>(heap.keptBytes());
    out[2] = static_cast<double>(heap.programs());
    out[3] = heap.seconds();
    out[4] = static_cast<double>(scratchHeld());
    return nullptr;
  });
}

/// Seconds, calls and floating-point operations of each kernel, three numbers a kernel.
napi_value profile(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const Heap& heap = *heapOf(env, arguments.number(0));
    const Numbers to = arguments.numbers(1);
    const KernelTimes& times = heap.times();
    if (to.dtype != Dtype::float64 || to.length < 3 * times.size()) throw WrongArgument("argument 1 is not a Float64Array of three numbers a kernel");
    double* out = static_cast<double*>(to.data);
    for (const KernelTime& time : times) *out++ = time.seconds, *out++ = time.calls, *out++ = time.flops;
    return nullptr;
  });
}

/// Asks all runs of this environment to stop: it is about to end, and Node waits for them.
napi_value stopAll(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    void* data = nullptr;
    check(env, napi_get_instance_data(env, &data));
    for (const auto& [serial, heap] : static_cast<Environment*>(data)->heaps)
      if (heap->running != nullptr) heap->running->progress.stop = true;
    return nullptr;
  });
}

napi_value initialise(napi_env env, napi_value exports) {
  return guarded(env, [&] {
    check(env, napi_set_instance_data(env, new Environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr));
    const std::pair<const char*, napi_callback> functions[] = {{"createHeap", createHeap}, {"destroyHeap", destroyHeap}, {"allocate", allocate}, {"release", release},   {"write", write},
                                                               {"read", read},             {"view", view},               {"take", take},         {"recycle", recycle},   {"detach", detach},     {"prepare", prepare},
                                                               {"estimate", estimate},     {"dispose", dispose},         {"run", run},           {"runAsync", runAsync}, {"stop", stop},
                                                               {"progress", progress},     {"statistics", statistics},   {"profile", profile},   {"stopAll", stopAll}};
    for (const auto& [name, function] : functions) {
      napi_value value = nullptr;
      check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value));
      check(env, napi_set_named_property(env, exports, name, value));
    }
    napi_value isaValue = nullptr;
    check(env, napi_create_string_utf8(env, isaName(), NAPI_AUTO_LENGTH, &isaValue));
    check(env, napi_set_named_property(env, exports, "isa", isaValue));
    check(env, napi_set_named_property(env, exports, "interfaceVersion", numberValue(env, interfaceVersion)));
    return exports;
  });
}

}  // namespace
}  // namespace gradpack

NAPI_MODULE_INIT() { return gradpack::initialise(env, exports); }
