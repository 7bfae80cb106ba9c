#pragma once
// How the box and guided filters on the CPU are divided over threads.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "torch/ops/cpu/box_filter_sweep.h"
#include "torch/run_context.h"

namespace vision_native {

inline BoxType box_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble: return BoxType::kDouble;
    case at::kHalf: return BoxType::kHalf;
    case at::kBFloat16: return BoxType::kBFloat16;
    default: return BoxType::kFloat;
  }
}

/// A plane of a tensor whose last two dimensions are rows and columns.
inline BoxPlane box_plane(const at::Tensor& tensor, int64_t offset) {
  return {static_cast<const char*>(tensor.const_data_ptr()) + offset * tensor.element_size(), tensor.stride(-2), tensor.stride(-1)};
}
inline BoxTarget box_target(const at::Tensor& tensor, int64_t offset) {
  return {static_cast<char*>(tensor.mutable_data_ptr()) + offset * tensor.element_size(), tensor.stride(-2)};
}

inline const std::atomic<bool>* box_cancel_flag() {
  const RunContext* context = current_run_context();
  return context == nullptr ? nullptr : &context->cancelled;
}

/// Calls `run(item, y0, y1)` for pieces of `items` images of equal size. An image is cut only where there are more threads
/// than images, at bands, and not so finely that pieces redo much of one another's work.
template <class Run>
void box_for_pieces(int64_t items, int64_t height, int64_t radius, Run run) {
  const int64_t band = box_band(radius);
  const int64_t bands = (height + band - 1) / band;
  const int64_t least = std::max<int64_t>(1, (2 * std::min(radius, height) + band - 1) / band);
  const int64_t wanted = items == 0 ? 1 : (at::get_num_threads() + items - 1) / items;
  const int64_t pieces = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(1, bands / least));
  at::parallel_for(0, items * pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t item = i / pieces, piece = i % pieces;
      // The first pieces get the bands that are left over: the others also redo what windows above them hold.
      const auto cut = [&](int64_t at) { return (bands * at + pieces - 1) / pieces * band; };
      const int64_t y0 = cut(piece);
      const int64_t y1 = std::min(height, cut(piece + 1));
      if (y0 < y1) run(item, y0, y1);
    }
  });
  check_cancelled();
}

/// Memory of one job, on the boundary that vectors like.
class BoxScratch {
 public:
  explicit BoxScratch(int64_t bytes) : memory_(at::empty({bytes + 64}, at::kByte)) {}
  void* data() const {
    const uintptr_t at = reinterpret_cast<uintptr_t>(memory_.mutable_data_ptr());
    return reinterpret_cast<void*>((at + 63) / 64 * 64);
  }

 private:
  at::Tensor memory_;
};

}  // namespace vision_native
