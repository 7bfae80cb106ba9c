#pragma once
// Working memory that a thread keeps from call to call: fresh memory costs a page fault for every 4 KiB.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <memory>
#include <new>

namespace vision_native {

/// What a thread works with at the same time has a place each.
enum class CapsuleMemory { kLogits, kSample, kTile };

/// Elements without values, aligned to a cache line. A thread keeps no more than `kMostKept` bytes for each place; larger
/// blocks are LibTorch's, and freed with this object.
template <typename A>
class CapsuleScratch {
 public:
  CapsuleScratch(CapsuleMemory place, int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(A));
    if (bytes > kMostKept) {
      large_ = at::empty({bytes}, at::kByte);
      data_ = static_cast<A*>(large_.mutable_data_ptr());
      return;
    }
    thread_local Block kept[3];
    Block& block = kept[static_cast<int>(place)];
    if (block.bytes < bytes) {
      block.data.reset();
      block.data.reset(::operator new(static_cast<size_t>(bytes), kAlignment));
      block.bytes = bytes;
    }
    data_ = static_cast<A*>(block.data.get());
  }
  CapsuleScratch(const CapsuleScratch&) = delete;
  CapsuleScratch& operator=(const CapsuleScratch&) = delete;

  /// The next `count` elements, from an own cache line on.
  A* take(int64_t count) {
    A* taken = data_ + used_;
    used_ += rounded(count);
    return taken;
  }

  /// What `take(count)` uses.
  static int64_t rounded(int64_t count) {
    constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(A));
    return (count + line - 1) / line * line;
  }

 private:
  static constexpr int64_t kMostKept = int64_t{4} << 20;
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(void* block) const { ::operator delete(block, kAlignment); }
  };
  struct Block {
    std::unique_ptr<void, Free> data;
    int64_t bytes = 0;
  };

  at::Tensor large_;
  A* data_ = nullptr;
  int64_t used_ = 0;
};

}  // namespace vision_native
