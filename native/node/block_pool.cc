#include "node/block_pool.h"

#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <atomic>
#include <unordered_set>
#include <utility>

namespace vision_native::memory {

namespace {

std::atomic<int64_t> total{0};
thread_local BlockPool* current = nullptr;

struct Registry {
  std::mutex mutex;
  std::unordered_set<BlockPools*> all;
};

Registry& registry() {
  // Never destroyed: graphs may be freed after every static of this library.
  static auto* const made = new Registry();
  return *made;
}

}  // namespace

BlockPool::~BlockPool() { clear(); }

void* BlockPool::take(size_t bytes) {
  const auto at = blocks_.lower_bound(bytes);
  if (at == blocks_.end() || at->first > bytes + bytes / 8 + 4096) return nullptr;
  void* block = at->second;
  held_ -= at->first;
  total.fetch_sub(static_cast<int64_t>(at->first), std::memory_order_relaxed);
  blocks_.erase(at);
  return block;
}

void BlockPool::lend(size_t usable) {
  lent_ += usable;
  most_lent_ = std::max(most_lent_, lent_);
}

bool BlockPool::keep(void* block, size_t usable) {
  // Blocks that were there before the run are freed in it too.
  lent_ -= std::min(lent_, usable);
  if (held_ + usable > most_lent_) return false;
  blocks_.emplace(usable, block);
  held_ += usable;
  total.fetch_add(static_cast<int64_t>(usable), std::memory_order_relaxed);
  return true;
}

void BlockPool::clear() {
  for (const auto& [bytes, block] : blocks_) c10::free_cpu(block);
  blocks_.clear();
  total.fetch_sub(static_cast<int64_t>(held_), std::memory_order_relaxed);
  held_ = 0;
}

BlockPools::BlockPools() {
  std::lock_guard lock(registry().mutex);
  registry().all.insert(this);
}

BlockPools::~BlockPools() {
  std::lock_guard lock(registry().mutex);
  registry().all.erase(this);
}

BlockPools::Lease::Lease(BlockPools& pools) : pools_(pools) {
  {
    std::lock_guard lock(pools_.mutex_);
    if (!pools_.idle_.empty()) {
      pool_ = std::move(pools_.idle_.back());
      pools_.idle_.pop_back();
    }
  }
  if (!pool_) pool_ = std::make_unique<BlockPool>();
  previous_ = std::exchange(current, pool_.get());
}

BlockPools::Lease::~Lease() {
  current = previous_;
  std::lock_guard lock(pools_.mutex_);
  pools_.idle_.push_back(std::move(pool_));
}

BlockPool* current_pool() { return current; }

int64_t pooled() { return total.load(std::memory_order_relaxed); }

void reclaim_idle_pools() {
  std::lock_guard lock(registry().mutex);
  for (BlockPools* pools : registry().all) {
    std::lock_guard own(pools->mutex_);
    pools->idle_.clear();
  }
}

}  // namespace vision_native::memory
