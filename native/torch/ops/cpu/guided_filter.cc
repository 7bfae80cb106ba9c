// The guided filter and its coefficients on the CPU.
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/library.h>

#include <vector>

#include "torch/ops/cpu/box_filter_jobs.h"
#include "torch/ops/guided_filter_shapes.h"

namespace vision_native {

namespace {

using Triple = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

at::Tensor contiguous_like(const at::Tensor& tensor) {
  return at::empty(tensor.sizes(), tensor.options().memory_format(c10::MemoryFormat::Contiguous));
}

/// Lists of planes that the job points to.
struct Lists {
  std::vector<BoxPlane> guide, input, grad;
  std::vector<BoxTarget> output, grad_guide;
};

void fill(GuidedJob& job, Lists& lists, const GuidedUnits& units, GuidedForm form, int64_t radius, BoxEdge edge, double eps,
          const at::Tensor& guide, const at::Tensor& input, int64_t unit, int64_t first, int64_t count) {
  job.rows = {units.height, radius, edge};
  job.columns = {units.width, radius, edge};
  job.type = box_type(input);
  job.form = form;
  job.guides = static_cast<int>(guided_guides(units.mode));
  job.channels = count;
  job.eps = eps;
  for (int k = 0; k < job.guides; ++k) lists.guide.push_back(box_plane(guide, units.offset(guide, unit, k)));
  for (int64_t c = 0; c < count; ++c) lists.input.push_back(box_plane(input, units.offset(input, unit, first + c)));
  job.guide = lists.guide.data();
  job.input = lists.input.data();
}

void forward(const GuidedUnits& units, GuidedForm form, int64_t radius, BoxEdge edge, double eps, const at::Tensor& guide,
             const at::Tensor& input, const at::Tensor& output) {
  const int64_t channels = units.unit_channels();
  const int64_t most = guided_channels(box_type(input));
  const int64_t groups = (channels + most - 1) / most;
  const int64_t fields = guided_guides(units.mode) + 1;
  const auto* cancelled = box_cancel_flag();
  box_for_pieces(units.units() * groups, units.height, radius, [&](int64_t item, int64_t y0, int64_t y1) {
    const int64_t unit = item / groups, first = item % groups * most;
    const int64_t count = std::min(most, channels - first);
    GuidedForwardJob job{};
    Lists lists;
    fill(job, lists, units, form, radius, edge, eps, guide, input, unit, first, count);
    job.y0 = y0;
    job.y1 = y1;
    job.cancelled = cancelled;
    for (int64_t c = first; c < first + count; ++c) {
      if (form == GuidedForm::kFilter) {
        lists.output.push_back(box_target(output, units.offset(output, unit, c)));
      } else {
        for (int64_t f = 0; f < fields; ++f) lists.output.push_back(box_target(output, units.field(output, unit, c, f)));
      }
    }
    job.output = lists.output.data();
    const BoxSweeps& sweeps = box_sweeps(job.type);
    const BoxScratch scratch(sweeps.guided_forward_bytes(job));
    job.scratch = scratch.data();
    sweeps.guided_forward(job);
  });
}

Triple backward(const GuidedUnits& units, GuidedForm form, int64_t radius, BoxEdge edge, const char* op,
                const at::Tensor& grad, const at::Tensor& guide, const at::Tensor& input, const at::Tensor& eps) {
  const double eps_value = guided_eps_value(op, eps);
  if (input.numel() == 0) return {at::zeros_like(guide), at::zeros_like(input), at::zeros_like(eps)};
  const at::Tensor grad_guide = contiguous_like(guide), grad_input = contiguous_like(input);
  // A share for each row, added up in their order, so that the sum does not depend on the threads.
  const at::Tensor shares = at::zeros({units.units(), units.height}, at::kDouble);
  const int64_t fields = guided_guides(units.mode) + 1;
  const auto* cancelled = box_cancel_flag();
  box_for_pieces(units.units(), units.height, radius, [&](int64_t unit, int64_t y0, int64_t y1) {
    const int64_t channels = units.unit_channels();
    GuidedBackwardJob job{};
    Lists lists;
    fill(job, lists, units, form, radius, edge, eps_value, guide, input, unit, 0, channels);
    job.y0 = y0;
    job.y1 = y1;
    job.cancelled = cancelled;
    for (int k = 0; k < job.guides; ++k) lists.grad_guide.push_back(box_target(grad_guide, units.offset(grad_guide, unit, k)));
    for (int64_t c = 0; c < channels; ++c) {
      lists.output.push_back(box_target(grad_input, units.offset(grad_input, unit, c)));
      if (form == GuidedForm::kFilter) {
        lists.grad.push_back(box_plane(grad, units.offset(grad, unit, c)));
      } else {
        for (int64_t f = 0; f < fields; ++f) lists.grad.push_back(box_plane(grad, units.field(grad, unit, c, f)));
      }
    }
    job.grad = lists.grad.data();
    job.grad_guide = lists.grad_guide.data();
    job.grad_input = lists.output.data();
    job.grad_eps = shares.mutable_data_ptr<double>() + unit * units.height;
    const BoxSweeps& sweeps = box_sweeps(job.type);
    const BoxScratch scratch(sweeps.guided_backward_bytes(job));
    job.scratch = scratch.data();
    sweeps.guided_backward(job);
  });
  double sum = 0.0;
  const double* share = shares.const_data_ptr<double>();
  for (int64_t i = 0; i < shares.numel(); ++i) sum += share[i];
  at::Tensor grad_eps = contiguous_like(eps);
  grad_eps.fill_(sum);
  return {grad_guide, grad_input, grad_eps};
}

// ---- Operators ------------------------------------------------------------------------------------------------------

at::Tensor guided_filter(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                         c10::string_view mode, c10::string_view edge) {
  const BoxEntry entry(input);
  const GuidedMode checked_mode = guided_check_mode("guided_filter", mode);
  guided_check_call("guided_filter", checked_mode, guide, input, radius, eps);
  const BoxEdge checked_edge = box_check_edge("guided_filter", edge);
  const double eps_value = guided_eps_value("guided_filter", eps);
  const at::Tensor output = contiguous_like(input);
  if (input.numel() == 0) return output;
  forward({checked_mode, input}, GuidedForm::kFilter, radius, checked_edge, eps_value, guide, input, output);
  return output;
}

Triple guided_filter_backward(const at::Tensor& grad, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                              const at::Tensor& eps, c10::string_view mode, c10::string_view edge) {
  constexpr const char* op = "_guided_filter_backward";
  const BoxEntry entry(input);
  const GuidedMode checked_mode = guided_check_mode(op, mode);
  guided_check_call(op, checked_mode, guide, input, radius, eps);
  guided_check_grad(op, grad, input, input.sizes());
  return backward({checked_mode, input}, GuidedForm::kFilter, radius, box_check_edge(op, edge), op, grad, guide, input, eps);
}

std::vector<int64_t> coefficient_sizes(GuidedMode mode, const at::Tensor& input) {
  return {input.size(0), input.size(1), guided_guides(mode) + 1, input.size(2), input.size(3)};
}

GuidedForm coefficient_form(bool average) { return average ? GuidedForm::kAveraged : GuidedForm::kPlain; }

at::Tensor guided_coefficients(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                               c10::string_view mode, c10::string_view edge, bool average) {
  const BoxEntry entry(input);
  const GuidedMode checked_mode = guided_check_mode("guided_coefficients", mode);
  guided_check_call("guided_coefficients", checked_mode, guide, input, radius, eps);
  const BoxEdge checked_edge = box_check_edge("guided_coefficients", edge);
  const double eps_value = guided_eps_value("guided_coefficients", eps);
  const at::Tensor output = at::empty(coefficient_sizes(checked_mode, input), input.options().memory_format(c10::MemoryFormat::Contiguous));
  if (input.numel() == 0) return output;
  forward({checked_mode, input}, coefficient_form(average), radius, checked_edge, eps_value, guide, input, output);
  return output;
}

Triple guided_coefficients_backward(const at::Tensor& grad, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                                    const at::Tensor& eps, c10::string_view mode, c10::string_view edge, bool average) {
  constexpr const char* op = "_guided_coefficients_backward";
  const BoxEntry entry(input);
  const GuidedMode checked_mode = guided_check_mode(op, mode);
  guided_check_call(op, checked_mode, guide, input, radius, eps);
  guided_check_grad(op, grad, input, coefficient_sizes(checked_mode, input));
  return backward({checked_mode, input}, coefficient_form(average), radius, box_check_edge(op, edge), op, grad, guide, input, eps);
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("guided_filter", guided_filter);
  library.impl("_guided_filter_backward", guided_filter_backward);
  library.impl("guided_coefficients", guided_coefficients);
  library.impl("_guided_coefficients_backward", guided_coefficients_backward);
}

}  // namespace

}  // namespace vision_native
