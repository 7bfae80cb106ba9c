#include "node/async.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "node/memory.h"

namespace vision_native {

void rest_openmp() { omp_pause_resource_all(omp_pause_soft); }

Scheduler& scheduler() {
  // Never destroyed: its threads may still be waiting when statics of the process go.
  static auto* const pool = new Scheduler(omp_get_max_threads(), rest_openmp);
  return *pool;
}

void set_thread_limit(int threads) {
  omp_set_num_threads(threads);
  scheduler().set_limit(threads);
}

// ---- Job ------------------------------------------------------------------------------------------------------------

Job::Job(Environment& environment, napi_value settle, napi_value progress) : environment_(environment) {
  napi_create_reference(environment.env, settle, 1, &settle_);
  if (progress != nullptr) napi_create_reference(environment.env, progress, 1, &progress_);
}

Job::~Job() {
  napi_delete_reference(environment_.env, settle_);
  if (progress_ != nullptr) napi_delete_reference(environment_.env, progress_);
}

void Job::on_progress(const char* stage, int64_t done, int64_t total) {
  if (progress_ == nullptr) return;
  std::lock_guard lock(mutex_);
  stage_ = stage;
  progress_done_ = done;
  progress_total_ = total;
  // One announcement at a time: a fast kernel must not flood the event loop, which reads the latest figures anyway.
  if (announced_) return;
  announced_ = true;
  environment_.settle(this);
}

void Job::execute(int threads) {
  // The number of OpenMP threads is a setting of each thread.
  omp_set_num_threads(threads);
  const int previous = memory::charge_to(environment_.account);
  {
    at::ThreadLocalStateGuard state(state_);
    RunContextGuard context(this);
    failed_ = !guarded(failure_, [this] {
      check_cancelled();
      run();
    });
  }
  memory::charge_to(previous);
  std::lock_guard lock(mutex_);
  done_ = true;
  // Told under the lock: the environment may destroy this job as soon as it sees that it is done.
  environment_.settle(this);
  finished_.notify_all();
}

// ---- Environment's side ---------------------------------------------------------------------------------------------

int64_t Environment::start(std::unique_ptr<Job> job) {
  const int64_t id = next_job_++;
  job->id_ = id;
  if (jobs_.empty()) napi_ref_threadsafe_function(env, settled_);
  jobs_.emplace_back(std::move(job));
  scheduler().submit([running = jobs_.back().get()](int threads) { running->execute(threads); });
  return id;
}

void Environment::cancel(int64_t id) {
  for (const auto& job : jobs_) {
    if (job->id_ == id) job->cancelled.store(true, std::memory_order_relaxed);
  }
}

void Environment::settle(Job* job) {
  // The id, not the pointer, travels: progress may arrive after the job has settled.
  napi_call_threadsafe_function(settled_, reinterpret_cast<void*>(job->id_), napi_tsfn_nonblocking);
}

void Environment::on_settled(napi_env env, napi_value, void* context, void* data) {
  if (env == nullptr) return;
  auto& self = *static_cast<Environment*>(context);
  const auto id = reinterpret_cast<int64_t>(data);
  const auto at = std::find_if(self.jobs_.begin(), self.jobs_.end(), [id](const auto& job) { return job->id_ == id; });
  if (at == self.jobs_.end()) return;
  const std::shared_ptr<Job> job = *at;

  bool done = false;
  const char* stage = nullptr;
  int64_t progress[2];
  {
    std::lock_guard lock(job->mutex_);
    done = job->done_;
    if (job->announced_) {
      stage = job->stage_;
      progress[0] = job->progress_done_;
      progress[1] = job->progress_total_;
      job->announced_ = false;
    }
  }
  napi_value receiver;
  napi_get_undefined(env, &receiver);
  if (stage != nullptr) {
    napi_value callback;
    napi_value args[3];
    napi_get_reference_value(env, job->progress_, &callback);
    napi_create_string_utf8(env, stage, NAPI_AUTO_LENGTH, &args[0]);
    napi_create_int64(env, progress[0], &args[1]);
    napi_create_int64(env, progress[1], &args[2]);
    // What a progress callback throws is the application's, and becomes an uncaught exception like any other.
    napi_call_function(env, receiver, callback, 3, args, nullptr);
  }
  if (!done) return;

  self.jobs_.erase(at);
  if (self.jobs_.empty()) napi_unref_threadsafe_function(env, self.settled_);
  if (!job->failed_) job->failed_ = !guarded(job->failure_, [&] { job->deliver(); });
  self.report_memory();
  napi_value callback;
  napi_value error = receiver;
  if (job->failed_) error = self.make_error(job->failure_);
  napi_get_reference_value(env, job->settle_, &callback);
  napi_call_function(env, receiver, callback, 1, &error, nullptr);
}

Environment::~Environment() {
  // A job refers to this environment until it is done, so the environment waits: cancelled jobs stop soon, others end.
  for (const auto& job : jobs_) job->cancelled.store(true, std::memory_order_relaxed);
  for (const auto& job : jobs_) {
    std::unique_lock lock(job->mutex_);
    job->finished_.wait(lock, [&] { return job->done_; });
  }
  jobs_.clear();
  hooks->close();
  if (frame_ref_ != nullptr) napi_delete_reference(env, frame_ref_);
  for (const napi_ref ref : {make_error_, site_function_, exception_}) {
    if (ref != nullptr) napi_delete_reference(env, ref);
  }
}

// ---- The two kinds --------------------------------------------------------------------------------------------------

namespace {

void collect_versions(const c10::IValue& value, TensorVersions& versions) {
  const auto add = [&](const at::Tensor& tensor) {
    // Tensors made in inference mode have no version counter.
    if (tensor.defined() && !tensor.is_inference()) versions.emplace_back(tensor, tensor._version());
  };
  if (value.isTensor()) add(value.toTensor());
  if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorList()) add(tensor);
  }
}

}  // namespace

OperatorJob::OperatorJob(Environment& environment, PreparedCall call, napi_value settle, napi_value progress)
    : Job(environment, settle, progress),
      call_(std::move(call)),
      candidate_(*call_.candidate),
      name_(call_.function->name),
      arguments_(call_.stack) {
  const auto& schema = candidate_.op.schema();
  for (size_t i = 0; i < arguments_.size(); ++i) {
    const auto* alias = schema.arguments()[i].alias_info();
    if (alias == nullptr || !alias->isWrite()) collect_versions(arguments_[i], versions_);
  }
  call_.candidate = &candidate_;
}

namespace {

void check_versions(const TensorVersions& versions) {
  for (const auto& [tensor, version] : versions) {
    if (tensor._version() == version) continue;
    throw BridgeError("Argument", "an input was changed in place while the call was waiting or running; "
                                  "await the call first, or pass a clone()");
  }
}

}  // namespace

void OperatorJob::run() {
  Failure failure;
  const bool fine = guarded(failure, [this] {
    check_versions(versions_);
    vision_native::execute(call_);
  });
  if (fine) return;
  const std::string tensors = describe_tensors(candidate_, arguments_);
  const bool cancelled = failure.kind == "Cancelled";
  throw BridgeError(failure.kind,
                    name_ + ": " + failure.message + (cancelled || tensors.empty() ? "" : " (" + tensors + ")"));
}

void OperatorJob::deliver() {
  check_versions(versions_);
  environment_.write_results(&candidate_, call_.stack);
}

GraphJob::GraphJob(Environment& environment, std::shared_ptr<Graph> graph, std::vector<at::Tensor> inputs,
                   napi_value settle)
    : Job(environment, settle, nullptr), graph_(std::move(graph)), claim_(*graph_), inputs_(std::move(inputs)) {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!graph_->written_inputs()[i]) collect_versions(inputs_[i], versions_);
  }
  for (const at::Tensor& tensor : graph_->read_only()) collect_versions(tensor, versions_);
}

void GraphJob::run() {
  check_versions(versions_);
  outputs_ = graph_->run(inputs_, this);
}

void GraphJob::deliver() {
  claim_.release();
  check_versions(versions_);
  environment_.write_results(nullptr, outputs_);
}

CopyJob::CopyJob(Environment& environment, at::Tensor tensor, napi_value buffer, napi_value settle)
    : Job(environment, settle, nullptr), tensor_(std::move(tensor)) {
  napi_create_reference(environment.env, buffer, 1, &buffer_);
  napi_get_arraybuffer_info(environment.env, buffer, &data_, &bytes_);
}

CopyJob::~CopyJob() { napi_delete_reference(environment_.env, buffer_); }

void CopyJob::run() { copy_elements(tensor_, data_, bytes_); }

void CopyJob::deliver() {
  torch::jit::Stack none;
  environment_.write_results(nullptr, none);
}

void copy_elements(const at::Tensor& tensor, void* data, size_t bytes) {
  if (tensor.is_meta()) throw BridgeError("Device", "a meta tensor has no data to read; make it on the cpu");
  if (tensor.layout() != c10::kStrided) {
    throw BridgeError("Operator", "the elements of a sparse tensor cannot be read directly; call toDense() first");
  }
  const at::Tensor source = tensor.detach().to(at::kCPU).resolve_conj().resolve_neg().contiguous();
  const size_t held = static_cast<size_t>(source.numel()) * source.element_size();
  if (held != bytes) {
    throw BridgeError("Argument", "the tensor has " + std::to_string(held) + " bytes, the buffer " + std::to_string(bytes));
  }
  if (bytes > 0) std::memcpy(data, source.const_data_ptr(), bytes);
}

}  // namespace vision_native
