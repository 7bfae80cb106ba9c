#pragma once
// The thread pool of asynchronous calls. Knows nothing of LibTorch or Node, so that it can be tested alone.
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace vision_native {

/// Runs jobs in the order they come. A job is told how many threads it may use; the sum over running jobs never
/// exceeds the limit.
class Scheduler {
 public:
  using Job = std::function<void(int threads)>;

  /// `rest` is called on each thread of the pool some milliseconds after its last job.
  explicit Scheduler(int limit, std::function<void()> rest = [] {});
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  /// Finishes what is queued, then stops.
  ~Scheduler();

  void submit(Job job);
  void set_limit(int limit);
  int limit() const;

 private:
  void work();
  /// True when there is a job for this thread, or nothing more to come.
  bool awake() const;
  void start_worker_if_needed();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable stopped_;
  std::deque<Job> queue_;
  const std::function<void()> rest_;
  int limit_;
  int busy_threads_ = 0;
  int workers_ = 0;
  int idle_workers_ = 0;
  bool stopping_ = false;
};

}  // namespace vision_native
