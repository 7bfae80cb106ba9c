#pragma once
// Large blocks of CPU memory that a captured graph frees, kept for its next run.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace vision_native::memory {

/// Blocks of one run at a time. Fresh memory costs a page fault for every 4 KiB, a tenth of a training step; a graph
/// asks for the same sizes in every run.
class BlockPool {
 public:
  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  /// A block of at least `bytes` and little more, or null.
  void* take(size_t bytes);
  /// Told of each block that a run got, from here or elsewhere.
  void lend(size_t usable);
  /// False when the block must be freed: the pool never holds more than a run had in use at a time.
  bool keep(void* block, size_t usable);
  void clear();

 private:
  std::multimap<size_t, void*> blocks_;
  size_t held_ = 0;
  size_t lent_ = 0;
  size_t most_lent_ = 0;
};

/// The pools of one graph, of which every run that is under way has one.
class BlockPools {
 public:
  BlockPools();
  BlockPools(const BlockPools&) = delete;
  BlockPools& operator=(const BlockPools&) = delete;
  ~BlockPools();

  /// Makes a pool that of this thread for as long as the lease lives.
  class Lease {
   public:
    explicit Lease(BlockPools& pools);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    BlockPools& pools_;
    std::unique_ptr<BlockPool> pool_;
    BlockPool* previous_;
  };

 private:
  friend void reclaim_idle_pools();
  std::mutex mutex_;
  std::vector<std::unique_ptr<BlockPool>> idle_;
};

/// The pool of the run on this thread, or null.
BlockPool* current_pool();
/// Bytes in all pools, which nobody uses.
int64_t pooled();
/// Frees what pools hold that no run has now.
void reclaim_idle_pools();

}  // namespace vision_native::memory
