#include "node/scheduler.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace vision_native {

namespace {

// The next step of a training comes sooner.
constexpr std::chrono::milliseconds kRestAfter{5};

}  // namespace

Scheduler::Scheduler(int limit, std::function<void()> rest) : rest_(std::move(rest)), limit_(std::max(1, limit)) {}

Scheduler::~Scheduler() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
  stopped_.wait(lock, [this] { return workers_ == 0; });
}

void Scheduler::submit(Job job) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(job));
  start_worker_if_needed();
  wake_.notify_one();
}

void Scheduler::set_limit(int limit) {
  std::lock_guard lock(mutex_);
  limit_ = std::max(1, limit);
  wake_.notify_all();
}

int Scheduler::limit() const {
  std::lock_guard lock(mutex_);
  return limit_;
}

void Scheduler::start_worker_if_needed() {
  if (idle_workers_ >= static_cast<int>(queue_.size()) || workers_ >= limit_) return;
  ++workers_;
  std::thread([this] { work(); }).detach();
}

bool Scheduler::awake() const {
  return (!queue_.empty() && busy_threads_ < limit_) || (stopping_ && queue_.empty());
}

void Scheduler::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_workers_;
    if (!wake_.wait_for(lock, kRestAfter, [this] { return awake(); })) {
      --idle_workers_;
      lock.unlock();
      rest_();
      lock.lock();
      ++idle_workers_;
      // A job that came meanwhile found this thread busy.
      wake_.wait(lock, [this] { return awake(); });
    }
    --idle_workers_;
    if (queue_.empty()) break;

    Job job = std::move(queue_.front());
    queue_.pop_front();
    // Jobs that wait share what is free; a job alone takes all of it.
    const int free = limit_ - busy_threads_;
    const int threads = std::max(1, free / static_cast<int>(queue_.size() + 1));
    busy_threads_ += threads;
    lock.unlock();
    job(threads);
    job = nullptr;
    lock.lock();
    busy_threads_ -= threads;
    wake_.notify_all();
  }
  --workers_;
  // Notified under the lock: the destructor may free this object as soon as it sees the count.
  if (workers_ == 0) stopped_.notify_all();
}

}  // namespace vision_native
