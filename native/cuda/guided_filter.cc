// The guided filter on CUDA: memory between its passes, and their order. The kernels are in the .cu files.
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros_like.h>
#include <torch/library.h>

#include "cuda/guided_filter_planes.h"

namespace vision_native {

namespace {

using Triple = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

/// Images are filtered together as far as what lies between passes fits in this.
constexpr int64_t kBetweenBytes = int64_t{1} << 30;

at::Tensor contiguous_like(const at::Tensor& tensor) {
  return at::empty(tensor.sizes(), tensor.options().memory_format(c10::MemoryFormat::Contiguous));
}

at::Tensor between(const at::Tensor& input, std::vector<int64_t> sizes) {
  return at::empty(sizes, input.options().dtype(cuda_sum_type(input)).memory_format(c10::MemoryFormat::Contiguous));
}

/// ε where it is: reading it from the device would wait for all that runs there, so the kernels look at it themselves.
struct Eps {
  cuda::GuidedEps eps{0.0, nullptr};
  at::Tensor kept;

  Eps(const char* op, const at::Tensor& tensor) {
    if (tensor.is_cpu()) {
      eps.value = guided_eps_value(op, tensor);
    } else {
      kept = tensor.to(at::kDouble);
      eps.device = kept.const_data_ptr<double>();
    }
  }
};

/// What all passes over one operator's tensors share.
struct Problem {
  GuidedMode mode;
  int64_t radius;
  BoxEdge edge;
  const Eps& eps;
  const at::Tensor &guide, &input;

  int64_t guides() const { return guided_guides(mode); }
  int64_t batch() const { return input.size(0); }
  int64_t channels() const { return input.size(1); }
  int64_t height() const { return input.size(2); }
  int64_t width() const { return input.size(3); }

  /// Images whose `planes` planes a channel fit between passes.
  int64_t images_at_once(int64_t planes) const {
    const int64_t size = input.scalar_type() == at::kDouble ? sizeof(double) : sizeof(float);
    const int64_t bytes = channels() * planes * height() * width() * size;
    return std::clamp<int64_t>(kBetweenBytes / bytes, 1, batch());
  }

  /// Images first … first + count, an item for each channel.
  void fill(cuda::GuidedCall& call, int64_t first, int64_t count) const {
    call.windows = box_windows(input, count, channels(), radius, edge);
    call.type = cuda_box_type(input);
    call.guides = static_cast<int>(guides());
    call.per_channel = mode == GuidedMode::kPerChannel;
    call.eps = eps.eps;
    call.guide = cuda_planes(guide, first);
    call.input = cuda_planes(input, first);
  }

  void coefficients(const at::Tensor& output, int64_t first, int64_t output_first, int64_t count) const {
    cuda::GuidedCoefficientsCall call{};
    fill(call, first, count);
    call.output = cuda_targets(output, output_first);
    call.output_type = cuda_box_type(output);
    const BoxWorkspace workspace(call.windows, cuda::guided_quantities(call, cuda::GuidedGradForm::kPlain, false), input);
    cuda::launch_guided_coefficients(call, workspace.data(), cuda_stream());
  }

  void filter(const at::Tensor& output) const {
    const int64_t fields = guides() + 1, step = images_at_once(fields);
    const at::Tensor made = between(input, {step, channels(), fields, height(), width()});
    for (int64_t first = 0; first < batch(); first += step) {
      const int64_t count = std::min(step, batch() - first);
      coefficients(made, first, 0, count);
      cuda::GuidedBlendCall call{};
      fill(call, first, count);
      call.coefficients = cuda_planes(made);
      call.output = cuda_targets(output, first);
      const BoxWorkspace workspace(call.windows, static_cast<int>(fields), input);
      cuda::launch_guided_blend(call, workspace.data(), cuda_stream());
    }
  }

  void averaged(const at::Tensor& output) const {
    const int64_t fields = guides() + 1, step = images_at_once(fields);
    const at::Tensor made = between(input, {step, channels(), fields, height(), width()});
    for (int64_t first = 0; first < batch(); first += step) {
      const int64_t count = std::min(step, batch() - first);
      coefficients(made, first, 0, count);
      const at::Tensor from = made.narrow(0, 0, count).view({1, -1, height(), width()});
      const at::Tensor to = output.narrow(0, first, count).view({1, -1, height(), width()});
      cuda::BoxCall call{};
      call.windows = box_windows(from, 1, from.size(1), radius, edge);
      call.type = cuda_sum_box_type(input);
      call.input = cuda_planes(from);
      call.output = cuda_targets(to);
      call.output_type = cuda_box_type(output);
      const BoxWorkspace workspace(call.windows, 1, input);
      cuda::launch_box_filter(call, workspace.data(), cuda_stream());
    }
  }

  Triple backward(cuda::GuidedGradForm form, const at::Tensor& grad, const at::Tensor& eps_tensor) const {
    const bool filter = form == cuda::GuidedGradForm::kFilter, per_channel = mode == GuidedMode::kPerChannel;
    const int64_t n = guides(), pairs = n * (n + 1) / 2;
    // γ, the gradient of π, a, the gradients of μ and Σ.
    const int64_t mu = n + 1 + (filter ? n : 0), fields = mu + n + pairs, step = images_at_once(fields + n);
    const at::Tensor grad_guide = contiguous_like(guide), grad_input = contiguous_like(input);
    const at::Tensor made = between(input, {step, channels(), fields, height(), width()});
    const at::Tensor parts = between(input, {step, channels(), n, height(), width()});
    const int64_t shares = cuda::guided_eps_shares(box_windows(input, 1, 1, radius, edge));
    const at::Tensor eps_shares = at::empty({batch(), channels(), shares}, input.options().dtype(at::kDouble).memory_format(c10::MemoryFormat::Contiguous));
    for (int64_t first = 0; first < batch(); first += step) {
      const int64_t count = std::min(step, batch() - first);
      {
        cuda::GuidedFieldsCall call{};
        fill(call, first, count);
        call.form = form;
        call.grad = cuda_planes(grad, first);
        call.fields = cuda_targets(made);
        call.eps_shares = eps_shares.mutable_data_ptr<double>() + first * channels() * shares;
        const BoxWorkspace workspace(call.windows, cuda::guided_quantities(call, form, true), input);
        cuda::launch_guided_fields(call, workspace.data(), cuda_stream());
      }
      {
        cuda::GuidedInputGradCall call{};
        fill(call, first, count);
        call.filter = filter;
        call.grad = cuda_planes(grad, first);
        call.fields = cuda_planes(made);
        call.output = cuda_targets(grad_input, first);
        call.parts = cuda_targets(parts);
        const BoxWorkspace workspace(call.windows, static_cast<int>(mu), input);
        cuda::launch_guided_input_grad(call, workspace.data(), cuda_stream());
      }
      cuda::GuidedGuideGradCall call{};
      fill(call, first, count);
      call.windows.channels = per_channel ? channels() : 1;
      call.sum_channels = per_channel ? 1 : channels();
      call.fields = cuda_planes(made.narrow(2, mu, n + pairs));
      call.parts = cuda_planes(parts);
      call.output = cuda_targets(grad_guide, first);
      const BoxWorkspace workspace(call.windows, static_cast<int>(n + pairs), input);
      cuda::launch_guided_guide_grad(call, workspace.data(), cuda_stream());
    }
    at::Tensor grad_eps = at::sum(eps_shares).to(eps_tensor.scalar_type()).reshape(eps_tensor.sizes());
    // A number that came from the CPU and wants no gradient is not worth waiting for the device.
    if (eps_tensor.is_cpu() && eps_tensor.requires_grad()) grad_eps = grad_eps.to(at::kCPU);
    return {grad_guide, grad_input, grad_eps};
  }
};

// ---- Operators ------------------------------------------------------------------------------------------------------

at::Tensor guided_filter(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                         c10::string_view mode, c10::string_view edge) {
  constexpr const char* op = "guided_filter";
  const BoxEntry entry(input);
  const GuidedMode checked_mode = guided_check_mode(op, mode);
  guided_check_call(op, checked_mode, guide, input, radius, eps);
  const BoxEdge checked_edge = box_check_edge(op, edge);
  const Eps checked_eps(op, eps);
  const at::Tensor output = contiguous_like(input);
  if (input.numel() > 0) Problem{checked_mode, radius, checked_edge, checked_eps, guide, input}.filter(output);
  return output;
}

Triple backward(const char* op, cuda::GuidedGradForm form, const at::Tensor& grad, const at::Tensor& guide,
                const at::Tensor& input, int64_t radius, const at::Tensor& eps, c10::string_view mode, c10::string_view edge) {
  const BoxEntry entry(input);
  const GuidedMode checked_mode = guided_check_mode(op, mode);
  guided_check_call(op, checked_mode, guide, input, radius, eps);
  std::vector<int64_t> sizes = input.sizes().vec();
  if (form != cuda::GuidedGradForm::kFilter) sizes.insert(sizes.begin() + 2, guided_guides(checked_mode) + 1);
  guided_check_grad(op, grad, input, sizes);
  const BoxEdge checked_edge = box_check_edge(op, edge);
  const Eps checked_eps(op, eps);
  if (input.numel() == 0) return {at::zeros_like(guide), at::zeros_like(input), at::zeros_like(eps)};
  return Problem{checked_mode, radius, checked_edge, checked_eps, guide, input}.backward(form, grad, eps);
}

Triple guided_filter_backward(const at::Tensor& grad, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                              const at::Tensor& eps, c10::string_view mode, c10::string_view edge) {
  return backward("_guided_filter_backward", cuda::GuidedGradForm::kFilter, grad, guide, input, radius, eps, mode, edge);
}

at::Tensor guided_coefficients(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                               c10::string_view mode, c10::string_view edge, bool average) {
  constexpr const char* op = "guided_coefficients";
  const BoxEntry entry(input);
  const GuidedMode checked_mode = guided_check_mode(op, mode);
  guided_check_call(op, checked_mode, guide, input, radius, eps);
  const BoxEdge checked_edge = box_check_edge(op, edge);
  const Eps checked_eps(op, eps);
  const at::Tensor output = at::empty({input.size(0), input.size(1), guided_guides(checked_mode) + 1, input.size(2), input.size(3)},
                                      input.options().memory_format(c10::MemoryFormat::Contiguous));
  if (input.numel() == 0) return output;
  const Problem problem{checked_mode, radius, checked_edge, checked_eps, guide, input};
  average ? problem.averaged(output) : problem.coefficients(output, 0, 0, input.size(0));
  return output;
}

Triple guided_coefficients_backward(const at::Tensor& grad, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                                    const at::Tensor& eps, c10::string_view mode, c10::string_view edge, bool average) {
  const auto form = average ? cuda::GuidedGradForm::kAveraged : cuda::GuidedGradForm::kPlain;
  return backward("_guided_coefficients_backward", form, grad, guide, input, radius, eps, mode, edge);
}

// ---- Between grids --------------------------------------------------------------------------------------------------

cuda::GuidedApplyCall apply_call(GuidedMode mode, const at::Tensor& coefficients, const at::Tensor& guide, bool align_corners) {
  return {GuidedGrid(coefficients.size(3), guide.size(2), align_corners),
          GuidedGrid(coefficients.size(4), guide.size(3), align_corners),
          cuda_box_type(guide),
          coefficients.size(0),
          coefficients.size(1),
          static_cast<int>(guided_guides(mode)),
          mode == GuidedMode::kPerChannel,
          cuda_planes(coefficients),
          cuda_planes(guide)};
}

at::Tensor guided_apply(const at::Tensor& coefficients, const at::Tensor& guide, c10::string_view mode, bool align_corners) {
  const BoxEntry entry(guide);
  const GuidedMode checked_mode = guided_check_mode("guided_apply", mode);
  guided_check_apply("guided_apply", checked_mode, coefficients, guide);
  const at::Tensor output = at::empty({coefficients.size(0), coefficients.size(1), guide.size(2), guide.size(3)},
                                      guide.options().memory_format(c10::MemoryFormat::Contiguous));
  if (output.numel() == 0) return output;
  cuda::launch_guided_apply(apply_call(checked_mode, coefficients, guide, align_corners), cuda_targets(output), cuda_stream());
  return output;
}

std::tuple<at::Tensor, at::Tensor> guided_apply_backward(const at::Tensor& grad, const at::Tensor& coefficients,
                                                         const at::Tensor& guide, c10::string_view mode, bool align_corners) {
  constexpr const char* op = "_guided_apply_backward";
  const BoxEntry entry(guide);
  const GuidedMode checked_mode = guided_check_mode(op, mode);
  guided_check_apply(op, checked_mode, coefficients, guide);
  guided_check_grad(op, grad, guide, {coefficients.size(0), coefficients.size(1), guide.size(2), guide.size(3)});
  if (grad.numel() == 0) return {at::zeros_like(coefficients), at::zeros_like(guide)};
  const at::Tensor grad_coefficients = contiguous_like(coefficients), grad_guide = contiguous_like(guide);
  const cuda::GuidedApplyCall call = apply_call(checked_mode, coefficients, guide, align_corners);
  cuda::launch_guided_apply_guide_grad(call, cuda_planes(grad), cuda_targets(grad_guide), cuda_stream());
  cuda::launch_guided_apply_coefficients_grad(call, cuda_planes(grad), cuda_targets(grad_coefficients), cuda_stream());
  return {grad_coefficients, grad_guide};
}

at::Tensor area_downsample(const at::Tensor& input, int64_t factor) {
  const BoxEntry entry(input);
  guided_check_factor(input, factor);
  const int64_t height = input.size(2), width = input.size(3);
  const at::Tensor output =
      at::empty({input.size(0), input.size(1), (height + factor - 1) / factor, (width + factor - 1) / factor},
                input.options().memory_format(c10::MemoryFormat::Contiguous));
  if (output.numel() == 0) return output;
  cuda::launch_area_downsample({cuda_box_type(input), input.size(0), input.size(1), height, width, factor, cuda_planes(input),
                                cuda_targets(output)},
                               cuda_stream());
  return output;
}

at::Tensor area_downsample_backward(const at::Tensor& grad, int64_t height, int64_t width, int64_t factor) {
  const BoxEntry entry(grad);
  guided_check_shrunk(grad, height, width, factor);
  const at::Tensor output = at::empty({grad.size(0), grad.size(1), height, width},
                                      grad.options().memory_format(c10::MemoryFormat::Contiguous));
  if (output.numel() == 0) return output;
  cuda::launch_area_downsample_backward({cuda_box_type(grad), grad.size(0), grad.size(1), height, width, factor,
                                         cuda_planes(grad), cuda_targets(output)},
                                        cuda_stream());
  return output;
}

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("guided_filter", guided_filter);
  library.impl("_guided_filter_backward", guided_filter_backward);
  library.impl("guided_coefficients", guided_coefficients);
  library.impl("_guided_coefficients_backward", guided_coefficients_backward);
  library.impl("guided_apply", guided_apply);
  library.impl("_guided_apply_backward", guided_apply_backward);
  library.impl("area_downsample", area_downsample);
  library.impl("_area_downsample_backward", area_downsample_backward);
}

}  // namespace

}  // namespace vision_native
