#include "async-run.h"

#include "napi-border.h"

namespace gradpack {
namespace {

struct AsyncRun {
  std::shared_ptr<Heap> heap;
  std::unique_ptr<BoundProgram> bound;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  Caught failure;
  bool completed = false;
};

void execute(napi_env, void* data) noexcept {
  AsyncRun& run = *static_cast<AsyncRun*>(data);
  try {
    run.completed = run.bound->run();
  } catch (...) {
    run.failure = caught();
  }
}

/// Statuses are not looked at: where the environment is ending nothing can be told to JavaScript any more.
void complete(napi_env env, napi_status, void* data) noexcept {
  const std::unique_ptr<AsyncRun> run(static_cast<AsyncRun*>(data));
  run->heap->running = nullptr;
  run->heap->finish(*run->bound);
  napi_value value = nullptr;
  if (run->failure.code == nullptr) {
    if (napi_create_double(env, run->completed ? run->bound->seconds : -1, &value) == napi_ok) napi_resolve_deferred(env, run->deferred, value);
  } else {
    napi_value code = nullptr, text = nullptr;
    napi_create_string_utf8(env, run->failure.code, NAPI_AUTO_LENGTH, &code);
    napi_create_string_utf8(env, run->failure.text.c_str(), NAPI_AUTO_LENGTH, &text);
    if (napi_create_error(env, code, text, &value) == napi_ok) napi_reject_deferred(env, run->deferred, value);
  }
  napi_delete_async_work(env, run->work);
}

}  // namespace

napi_value startRun(napi_env env, const std::shared_ptr<Heap>& heap, std::unique_ptr<BoundProgram> bound) {
  std::unique_ptr<AsyncRun> run;
  napi_value promise = nullptr, name = nullptr;
  try {
    run = std::make_unique<AsyncRun>();
    run->heap = heap;
    check(env, napi_create_string_utf8(env, "gradpack:run", NAPI_AUTO_LENGTH, &name));
    check(env, napi_create_async_work(env, nullptr, name, execute, complete, run.get(), &run->work));
    check(env, napi_create_promise(env, &run->deferred, &promise));
    run->bound = std::move(bound);
    check(env, napi_queue_async_work(env, run->work));
  } catch (...) {
    if (run && run->work != nullptr) napi_delete_async_work(env, run->work);
    heap->finish(bound ? *bound : *run->bound);
    throw;
  }
  heap->running = run->bound.get();
  run.release();  // complete() takes it back
  return promise;
}

}  // namespace gradpack
