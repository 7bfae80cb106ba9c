#pragma once
// The tensors that JavaScript holds, each under a number: slot index in the low bits, the slot's generation above.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vision_native {

class HandleTable {
 public:
  /// The most tensors one environment can hold at a time.
  static constexpr uint32_t kCapacity = 1u << 22;

  /// A handle of `tensor`, or 0 when the table is full.
  double insert(at::Tensor tensor);
  /// The tensor of a handle, or null when it was freed or was never one of this table.
  const at::Tensor* find(double handle) const;
  /// False when there is no such tensor.
  bool erase(double handle);

  size_t size() const { return live_; }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (uint32_t index = 0; index < slots_.size(); ++index) {
      if (slots_[index].tensor.defined()) visit(handle_of(index), slots_[index].tensor);
    }
  }

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 1;
    uint32_t next_free = kNone;
  };
  static constexpr uint32_t kNone = ~0u;
  /// 22 bits of index and 31 of generation fill the 53 bits of a double's integers.
  static constexpr uint32_t kLastGeneration = (1u << 31) - 1;

  double handle_of(uint32_t index) const {
    return static_cast<double>(static_cast<uint64_t>(slots_[index].generation) * kCapacity + index);
  }
  /// The index of a live slot, or kNone.
  uint32_t locate(double handle) const;

  std::vector<Slot> slots_;
  uint32_t free_ = kNone;
  size_t live_ = 0;
};

}  // namespace vision_native
