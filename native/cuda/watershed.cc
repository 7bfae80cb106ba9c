// Watershed on CUDA: a flood in order has no parallel form that gives the same labels, so that the images are copied to
// the CPU, flooded there, and the labels copied back. lib/ops/watershed.ts says so to who calls it.
#include "torch/ops/watershed.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace vision_native {

namespace {

at::Tensor watershed_cuda(const at::Tensor& image, const at::Tensor& markers, const std::optional<at::Tensor>& mask,
                          int64_t connectivity, double compactness) {
  watershed_check(image, markers, mask, connectivity, compactness);
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("vision_native::watershed", "").typed<decltype(watershed_cuda)>();
  const bool masked = mask.has_value() && mask->defined();
  return op.call(image.cpu(), markers.cpu(), masked ? std::optional<at::Tensor>(mask->cpu()) : std::nullopt, connectivity,
                 compactness)
      .to(image.device());
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) { library.impl("watershed", watershed_cuda); }

}  // namespace vision_native
