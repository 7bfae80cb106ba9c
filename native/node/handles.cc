#include "node/handles.h"

namespace vision_native {

double HandleTable::insert(at::Tensor tensor) {
  uint32_t index = free_;
  if (index != kNone) {
    free_ = slots_[index].next_free;
  } else {
    if (slots_.size() == kCapacity) return 0;
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  slots_[index].tensor = std::move(tensor);
  ++live_;
  return handle_of(index);
}

uint32_t HandleTable::locate(double handle) const {
  // The comparison is written so that NaN fails it.
  if (!(handle >= kCapacity && handle < 9007199254740992.0)) return kNone;
  const auto bits = static_cast<uint64_t>(handle);
  const auto index = static_cast<uint32_t>(bits % kCapacity);
  if (index >= slots_.size()) return kNone;
  const Slot& slot = slots_[index];
  return slot.generation == bits / kCapacity && slot.tensor.defined() ? index : kNone;
}

const at::Tensor* HandleTable::find(double handle) const {
  const uint32_t index = locate(handle);
  return index == kNone ? nullptr : &slots_[index].tensor;
}

bool HandleTable::erase(double handle) {
  const uint32_t index = locate(handle);
  if (index == kNone) return false;
  // Freeing a tensor may run hooks that come back to this table, so the slot is emptied first.
  at::Tensor dying = std::move(slots_[index].tensor);
  slots_[index].tensor = at::Tensor();
  --live_;
  // A slot whose generations are used up is retired, so that a stale handle can never meet a new tensor.
  if (slots_[index].generation < kLastGeneration) {
    ++slots_[index].generation;
    slots_[index].next_free = free_;
    free_ = index;
  }
  return true;
}

}  // namespace vision_native
