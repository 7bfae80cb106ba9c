// Suppression chooses boxes and has no gradient: its results are constants, whatever its inputs require.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace vision_native {

namespace {

template <typename Signature>
auto operator_of(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

at::Tensor nms(const at::Tensor& boxes, const at::Tensor& scores, double iou_threshold) {
  const at::AutoDispatchBelowADInplaceOrView guard;
  static const auto op = operator_of<decltype(nms)>("vision_native::nms");
  return op.call(boxes, scores, iou_threshold);
}

at::Tensor batched_nms(const at::Tensor& boxes, const at::Tensor& scores, const at::Tensor& idxs,
                       double iou_threshold) {
  const at::AutoDispatchBelowADInplaceOrView guard;
  static const auto op = operator_of<decltype(batched_nms)>("vision_native::batched_nms");
  return op.call(boxes, scores, idxs, iou_threshold);
}

std::tuple<at::Tensor, at::Tensor> soft_nms(const at::Tensor& boxes, const at::Tensor& scores, double iou_threshold,
                                            double sigma, double score_threshold, c10::string_view method) {
  const at::AutoDispatchBelowADInplaceOrView guard;
  static const auto op = operator_of<decltype(soft_nms)>("vision_native::soft_nms");
  return op.call(boxes, scores, iou_threshold, sigma, score_threshold, method);
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("nms", nms);
  library.impl("batched_nms", batched_nms);
  library.impl("soft_nms", soft_nms);
}

}  // namespace

}  // namespace vision_native
