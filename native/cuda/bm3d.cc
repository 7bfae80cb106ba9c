// BM3D on CUDA: memory and order of launches. The kernels are in the .cu file.
#include "torch/ops/bm3d.h"

#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <cstring>

#include "cuda/bm3d.h"
#include "cuda/launch.cuh"

namespace vision_native {

namespace {

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

at::Tensor tables_on(const at::Tensor& like) {
  at::Tensor tables = at::empty({static_cast<int64_t>(sizeof(Bm3dTables))}, at::kByte);
  std::memcpy(tables.mutable_data_ptr<uint8_t>(), &bm3d_tables(), sizeof(Bm3dTables));
  return tables.to(like.device());
}

/// Progress and cancelling need the device to have caught up; without a listener nothing waits.
void finish_stage(int64_t done, int64_t total) {
  if (current_run_context() == nullptr) return;
  cuda::check_cuda(cudaStreamSynchronize(stream()), "waiting for a stage of BM3D");
  check_cancelled();
  report_progress("bm3d", done, total);
}

at::Tensor bm3d_cuda(const at::Tensor& input, double sigma, c10::string_view stages, int64_t search) {
  const Bm3dPlan plan = bm3d_check(input, sigma, stages, search);
  const c10::cuda::CUDAGuard guard(input.device());
  const cuda::Bm3dImage size{input.size(1), input.size(2), input.size(3)};
  const at::Tensor source = input.to(at::kFloat).contiguous();
  at::Tensor result = at::empty(source.sizes(), source.options());
  const at::Tensor tables = tables_on(input);
  const int64_t numbers = size.channels * size.area(), blocks = size.blocks();
  const at::Tensor found = at::empty({blocks, kBm3dMostBlocks}, source.options().dtype(at::kInt));
  const at::Tensor counts = at::empty({blocks}, source.options().dtype(at::kInt));
  const at::Tensor sums = at::empty({2, numbers}, source.options().dtype(at::kLong));
  const at::Tensor planes = at::empty({3, numbers}, source.options());
  int64_t* values = sums.mutable_data_ptr<int64_t>();
  const cuda::Bm3dRoom room{reinterpret_cast<uint32_t*>(found.mutable_data_ptr<int32_t>()),
                            counts.mutable_data_ptr<int32_t>(), values, values + numbers};
  float* noisy = planes.mutable_data_ptr<float>();
  float *basic = noisy + numbers, *denoised = basic + numbers;
  const auto* device_tables = reinterpret_cast<const Bm3dTables*>(tables.const_data_ptr<uint8_t>());
  const int64_t total = input.size(0) * (plan.both ? 2 : 1);
  int64_t done = 0;
  for (int64_t n = 0; n < input.size(0); ++n) {
    cuda::launch_bm3d_to_planes(source.const_data_ptr<float>() + n * numbers, size, noisy, stream());
    cuda::launch_bm3d_stage(noisy, basic, size, plan.hard, device_tables, room, basic, stream());
    finish_stage(++done, total);
    if (plan.both) {
      cuda::launch_bm3d_stage(noisy, basic, size, plan.wiener, device_tables, room, denoised, stream());
      finish_stage(++done, total);
    }
    cuda::launch_bm3d_from_planes(plan.both ? denoised : basic, size, result.mutable_data_ptr<float>() + n * numbers,
                                  stream());
  }
  return result.to(input.scalar_type());
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) { library.impl("bm3d", bm3d_cuda); }

}  // namespace vision_native
