#pragma once
// Calls that run on the thread pool while JavaScript goes on.
#include <ATen/ThreadLocalState.h>
#include <node_api.h>

#include <mutex>

#include "node/environment.h"
#include "node/graph_claims.h"
#include "node/scheduler.h"
#include "torch/run_context.h"

namespace vision_native {

/// Ends the threads that OpenMP keeps of this thread's last parallel region. With those of several threads there are more
/// than cores, libgomp then no longer waits actively, and every region begins with a wake-up.
void rest_openmp();

/// The pool of the process.
Scheduler& scheduler();

/// Sets how many threads an operator may use: on this thread, and for jobs of the pool.
void set_thread_limit(int threads);

/// Work for the pool. It is made and settled on the environment's thread; `run` is called on another.
class Job : public RunContext {
 public:
  Job(Environment& environment, napi_value settle, napi_value progress);
  ~Job() override;

  void on_progress(const char* stage, int64_t done, int64_t total) final;

 protected:
  /// The work itself. What it throws becomes the failure of the job.
  virtual void run() = 0;
  /// On the environment's thread: checks what must hold at the end, and writes the results to the frame.
  virtual void deliver() = 0;

  Environment& environment_;

 private:
  friend class Environment;
  void execute(int threads);

  int64_t id_ = 0;
  at::ThreadLocalState state_;
  napi_ref settle_ = nullptr;
  napi_ref progress_ = nullptr;
  bool failed_ = false;
  bool done_ = false;  // guarded by mutex_
  Failure failure_;
  std::mutex mutex_;
  std::condition_variable finished_;
  // The latest progress not yet told, guarded by mutex_.
  const char* stage_ = nullptr;
  int64_t progress_done_ = 0;
  int64_t progress_total_ = 0;
  bool announced_ = false;
};

/// Tensors with the number of their in-place changes.
using TensorVersions = std::vector<std::pair<at::Tensor, uint32_t>>;

/// An operator off the event loop. An in-place change of an input meanwhile makes it fail.
class OperatorJob final : public Job {
 public:
  OperatorJob(Environment& environment, PreparedCall call, napi_value settle, napi_value progress);

 protected:
  void run() override;
  void deliver() override;

 private:
  PreparedCall call_;
  /// Functions live in a table that may move while the job runs.
  Candidate candidate_;
  std::string name_;
  torch::jit::Stack arguments_;
  TensorVersions versions_;
};

/// A captured graph off the event loop.
class GraphJob final : public Job {
 public:
  GraphJob(Environment& environment, std::shared_ptr<Graph> graph, std::vector<at::Tensor> inputs, napi_value settle);

 protected:
  void run() override;
  void deliver() override;

 private:
  std::shared_ptr<Graph> graph_;
  StateClaim claim_;
  std::vector<at::Tensor> inputs_;
  torch::jit::Stack outputs_;
  TensorVersions versions_;
};

/// Copies a tensor's elements into memory that JavaScript leaves alone meanwhile.
class CopyJob final : public Job {
 public:
  CopyJob(Environment& environment, at::Tensor tensor, napi_value buffer, napi_value settle);
  ~CopyJob() override;

 protected:
  void run() override;
  void deliver() override;

 private:
  at::Tensor tensor_;
  napi_ref buffer_ = nullptr;
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

/// Copies the elements of `tensor`, contiguous and on the CPU, to `data`.
void copy_elements(const at::Tensor& tensor, void* data, size_t bytes);

}  // namespace vision_native
