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

namespace vision_native::memory {

namespace {

std::atomic<int64_t> total{0};
std::atomic<int64_t> highest{0};
std::atomic<int64_t> ceiling{std::numeric_limits<int64_t>::max()};
std::array<std::atomic<int64_t>, kAccounts> accounts{};
thread_local int account = 0;

/// A block must be credited to the account that was charged for it, on whatever thread it is freed. The account is
/// told by which of these functions a block carries as its deleter, so blocks need no header.
template <int Account>
void release(void* block) {
  if (block == nullptr) return;
  const auto bytes = static_cast<int64_t>(malloc_usable_size(block));
  c10::free_cpu(block);
  total.fetch_sub(bytes, std::memory_order_relaxed);
  accounts[Account].fetch_sub(bytes, std::memory_order_relaxed);
}

template <int... Account>
constexpr std::array<c10::DeleterFnPtr, sizeof...(Account)> releasers(std::integer_sequence<int, Account...>) {
  return {&release<Account>...};
}
constexpr auto kRelease = releasers(std::make_integer_sequence<int, kAccounts>{});

class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const int64_t held = total.load(std::memory_order_relaxed);
    const int64_t allowed = ceiling.load(std::memory_order_relaxed);
    if (bytes > static_cast<size_t>(std::numeric_limits<int64_t>::max()) ||
        static_cast<int64_t>(bytes) > allowed - held) {
      TORCH_CHECK_WITH(OutOfMemoryError, false, "an allocation of ", bytes, " bytes exceeds the limit of ", allowed,
                       " bytes of CPU memory, of which ", held,
                       " are in use; dispose of tensors (memory.stats() counts them) or raise memory.setCpuLimit()");
    }
    void* block = c10::alloc_cpu(bytes);
    if (block != nullptr) {
      const auto usable = static_cast<int64_t>(malloc_usable_size(block));
      const int64_t now = total.fetch_add(usable, std::memory_order_relaxed) + usable;
      accounts[account].fetch_add(usable, std::memory_order_relaxed);
      int64_t seen = highest.load(std::memory_order_relaxed);
      while (now > seen && !highest.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
      }
    }
    return {block, block, kRelease[account], c10::Device(c10::DeviceType::CPU)};
  }

  /// None: blocks of different accounts have different deleters.
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }

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
