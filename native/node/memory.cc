#include "node/memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include "node/block_pool.h"

namespace vision_native::memory {

namespace {

std::atomic<int64_t> total{0};
std::atomic<int64_t> highest{0};
std::atomic<int64_t> ceiling{std::numeric_limits<int64_t>::max()};
std::array<std::atomic<int64_t>, kAccounts> accounts{};
thread_local int account = 0;

/// Small blocks that were freed, kept by thread for the next tensors: the C library's aligned allocation costs more than
/// adding two small tensors does.
class SmallBlocks {
 public:
  static constexpr size_t kStep = 64;
  static constexpr size_t kLargest = 2048;

  ~SmallBlocks() {
    gone = true;
    for (Block*& list : lists_) {
      while (list != nullptr) c10::free_cpu(std::exchange(list, list->next));
    }
  }

  static size_t round_up(size_t bytes) { return (bytes + kStep - 1) / kStep * kStep; }

  void* take(size_t rounded) {
    Block*& list = lists_[rounded / kStep];
    if (list == nullptr) return nullptr;
    kept_ -= rounded;
    return std::exchange(list, list->next);
  }

  /// False when the block must be freed: it is large, or enough are kept.
  bool keep(void* block, size_t usable) {
    const size_t rounded = usable / kStep * kStep;
    if (rounded > kLargest || rounded == 0 || kept_ + rounded > kMost) return false;
    auto* kept = static_cast<Block*>(block);
    kept->next = std::exchange(lists_[rounded / kStep], kept);
    kept_ += rounded;
    return true;
  }

  /// True once the thread's blocks were freed at its end; tensors may be freed later still.
  static thread_local bool gone;

 private:
  struct Block {
    Block* next;
  };
  static constexpr size_t kMost = 1 << 20;

  std::array<Block*, kLargest / kStep + 1> lists_{};
  size_t kept_ = 0;
};

thread_local bool SmallBlocks::gone = false;
thread_local SmallBlocks small_blocks;

void* obtain(size_t bytes) {
  if (bytes > SmallBlocks::kLargest) {
    BlockPool* pool = current_pool();
    if (void* block = pool != nullptr ? pool->take(bytes) : nullptr) return block;
  }
  if (bytes == 0 || bytes > SmallBlocks::kLargest || SmallBlocks::gone) return c10::alloc_cpu(bytes);
  const size_t rounded = SmallBlocks::round_up(bytes);
  void* block = small_blocks.take(rounded);
  return block != nullptr ? block : c10::alloc_cpu(rounded);
}

/// A block must be credited to the account that was charged for it, on whatever thread it is freed. The account is
/// told by which of these functions a block carries as its deleter, so blocks need no header.
template <int Account>
void release(void* block) {
  if (block == nullptr) return;
  const size_t bytes = malloc_usable_size(block);
  total.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  accounts[Account].fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  if (bytes > SmallBlocks::kLargest) {
    BlockPool* pool = current_pool();
    if (pool != nullptr && pool->keep(block, bytes)) return;
  }
  if (SmallBlocks::gone || !small_blocks.keep(block, bytes)) c10::free_cpu(block);
}

/// True when `bytes` more fit below the limit beside what is in use and what pools hold, which is freed if need be.
bool fits(size_t bytes) {
  if (bytes > static_cast<size_t>(std::numeric_limits<int64_t>::max())) return false;
  const int64_t free = ceiling.load(std::memory_order_relaxed) - total.load(std::memory_order_relaxed);
  const auto wanted = static_cast<int64_t>(bytes);
  if (wanted <= free - pooled()) return true;
  if (wanted > free) return false;
  if (BlockPool* pool = current_pool()) pool->clear();
  reclaim_idle_pools();
  return wanted <= free - pooled();
}

template <int... Account>
constexpr std::array<c10::DeleterFnPtr, sizeof...(Account)> releasers(std::integer_sequence<int, Account...>) {
  return {&release<Account>...};
}
constexpr auto kRelease = releasers(std::make_integer_sequence<int, kAccounts>{});

class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (!fits(bytes)) {
      TORCH_CHECK_WITH(OutOfMemoryError, false, "an allocation of ", bytes, " bytes exceeds the limit of ", limit(),
                       " bytes of CPU memory, of which ", allocated(),
                       " are in use; dispose of tensors (memory.stats() counts them) or raise memory.setCpuLimit()");
    }
    void* block = obtain(bytes);
    if (block != nullptr) {
      const auto usable = static_cast<int64_t>(malloc_usable_size(block));
      if (BlockPool* pool = current_pool(); pool != nullptr && bytes > SmallBlocks::kLargest) {
        pool->lend(static_cast<size_t>(usable));
      }
      const int64_t now = total.fetch_add(usable, std::memory_order_relaxed) + usable;
      accounts[account].fetch_add(usable, std::memory_order_relaxed);
      int64_t seen = highest.load(std::memory_order_relaxed);
      while (now > seen && !highest.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
      }
    }
    return {block, block, kRelease[account], c10::Device(c10::DeviceType::CPU)};
  }

  /// oneDNN takes its scratch memory as raw blocks (an LSTM in float32 does), which carry no deleter. They are given back
  /// within the operator that took them, so the account is the one that is current.
  c10::DeleterFnPtr raw_deleter() const override { return [](void* block) { kRelease[account](block); }; }

  void copy_data(void* destination, const void* source, std::size_t bytes) const override {
    default_copy_data(destination, source, bytes);
  }
};

int64_t read_number(const char* path) {
  std::ifstream file(path);
  int64_t value = 0;
  return file >> value ? value : 0;
}

int64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  int64_t kilobytes = 0;
  std::string unit;
  while (file >> name >> kilobytes) {
    if (name == "MemAvailable:") return kilobytes * 1024;
    std::getline(file, unit);
  }
  return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
}

}  // namespace

void install() {
  static std::once_flag once;
  std::call_once(once, [] {
    set_limit(default_limit());
    // Never destroyed: tensors may outlive every static of this library.
    c10::SetCPUAllocator(new CountingAllocator(), 1);
  });
}

int charge_to(int next) { return std::exchange(account, next % kAccounts); }

void recharge(c10::DataPtr& block, int to) {
  to %= kAccounts;
  for (int from = 0; from < kAccounts; ++from) {
    if (from == to || !block.compare_exchange_deleter(kRelease[from], kRelease[to])) continue;
    const auto bytes = static_cast<int64_t>(malloc_usable_size(block.get_context()));
    accounts[from].fetch_sub(bytes, std::memory_order_relaxed);
    accounts[to].fetch_add(bytes, std::memory_order_relaxed);
    return;
  }
}

int64_t allocated() { return total.load(std::memory_order_relaxed); }
int64_t allocated(int of) { return accounts[of % kAccounts].load(std::memory_order_relaxed); }
int64_t peak() { return highest.load(std::memory_order_relaxed); }
void reset_peak() { highest.store(allocated(), std::memory_order_relaxed); }
int64_t limit() { return ceiling.load(std::memory_order_relaxed); }
void set_limit(int64_t bytes) { ceiling.store(bytes, std::memory_order_relaxed); }

int64_t default_limit() {
  int64_t bytes = available_memory();
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const int64_t cgroup = read_number(path);
    if (cgroup > 0 && cgroup < bytes) bytes = cgroup;
  }
  return bytes;
}

}  // namespace vision_native::memory
