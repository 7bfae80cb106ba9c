// The thread pool of asynchronous calls under ThreadSanitizer: several threads submit jobs, jobs submit further ones, the
// limit changes, and pools end with jobs in their queue.
//
//   scheduler SECONDS SEED [--planted]
#include "node/scheduler.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace {

using vision_native::Scheduler;

constexpr int kSubmitters = 4;
constexpr int kMostThreads = 6;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "scheduler: %s\n", what);
  std::exit(1);
}

struct Counts {
  std::atomic<int> submitted{0};
  std::atomic<int> run{0};
  std::atomic<int> threads{0};
  std::atomic<int> rests{0};
};

/// What jobs write to without a lock of their own: only the pool's order keeps them apart, where its limit is one.
struct Shared {
  bool planted;
  long sum = 0;
};

void submit(Scheduler& pool, Counts& counts, int depth, unsigned seed) {
  counts.submitted.fetch_add(1);
  pool.submit([&pool, &counts, depth, seed](int threads) {
    if (threads < 1) fail("a job was given no thread");
    if (counts.threads.fetch_add(threads) + threads > kMostThreads) fail("running jobs have more threads than the limit");
    if (seed % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(seed % 300));
    if (depth > 0) submit(pool, counts, depth - 1, seed * 1103515245U + 12345U);
    counts.threads.fetch_sub(threads);
    counts.run.fetch_add(1);
  });
}

/// Every job is run, also those that are queued when the pool ends.
void crowd(unsigned seed) {
  Counts counts;
  {
    Scheduler pool(kMostThreads, [&counts] { counts.rests.fetch_add(1); });
    std::vector<std::thread> submitters;
    for (int i = 0; i < kSubmitters; ++i) {
      submitters.emplace_back([&pool, &counts, seed, i] {
        std::mt19937 random(seed * kSubmitters + static_cast<unsigned>(i));
        for (int k = 0; k < 40; ++k) {
          submit(pool, counts, static_cast<int>(random() % 3), static_cast<unsigned>(random()));
          // Never above what it was: running jobs keep the threads that they were given.
          if (random() % 16 == 0) pool.set_limit(1 + static_cast<int>(random() % kMostThreads));
          if (random() % 16 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 8));
        }
      });
    }
    for (auto& submitter : submitters) submitter.join();
  }
  if (counts.run != counts.submitted) fail("jobs were lost");
}

/// With a limit of one, jobs run in their order, and what one writes the next one sees.
void line(unsigned seed, bool planted) {
  Shared shared{planted};
  int expected = 0;
  {
    Scheduler pool(planted ? kMostThreads : 1);
    for (int i = 0; i < 200; ++i) {
      pool.submit([&shared, &expected, i](int) {
        if (!shared.planted && expected++ != i) fail("jobs ran out of their order");
        shared.sum += i;
      });
      if (i % 50 == static_cast<int>(seed % 50)) std::this_thread::sleep_for(std::chrono::milliseconds(6));
    }
  }
  if (!planted && shared.sum != 199 * 200 / 2) fail("a sum of jobs is wrong");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) fail("usage: scheduler SECONDS SEED [--planted]");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[1]));
  auto seed = static_cast<unsigned>(std::atoi(argv[2]));
  const bool planted = argc > 3 && std::strcmp(argv[3], "--planted") == 0;
  int rounds = 0;
  do {
    crowd(seed);
    line(seed, planted);
    ++seed;
    ++rounds;
  } while (std::chrono::steady_clock::now() < until);
  std::printf("%d rounds of %d submitting threads\n", rounds, kSubmitters);
  return 0;
}
