// Binary 3D convolution on CUDA: tensors to raw pointers, and which of two kernels runs. Those are in the .cu files.
#include "torch/ops/binary_conv3d.h"

#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/binary_conv3d.h"

namespace vision_native {

namespace {

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

cuda::BinaryType type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kHalf: return cuda::BinaryType::kHalf;
    case at::kBFloat16: return cuda::BinaryType::kBFloat16;
    case at::kFloat: return cuda::BinaryType::kFloat;
    case at::kDouble: return cuda::BinaryType::kDouble;
    default: TORCH_CHECK_TYPE(false, "binary convolution: no CUDA kernel for ", tensor.scalar_type(), "; use float32");
  }
}

const uint64_t* words_of(const at::Tensor& tensor) {
  return reinterpret_cast<const uint64_t*>(tensor.const_data_ptr<int64_t>());
}

const float* floats_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

cuda::BinaryConv conv_of(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape) {
  cuda::BinaryConv conv{words_of(bits), words_of(weight), shape.batch, shape.channels, shape.out_channels,
                        shape.words(), shape.out_words(), {}, {}, {}, {}, {}};
  for (int i = 0; i < 3; ++i) {
    conv.in[i] = shape.in[i];
    conv.kernel[i] = shape.kernel[i];
    conv.stride[i] = shape.stride[i];
    conv.padding[i] = shape.padding[i];
    conv.out[i] = shape.out[i];
  }
  return conv;
}

// ---- Choice -----------------------------------------------------------------------------------------------------

/// Both kernels give the same whole numbers. Which is faster depends on the device, whose tensor cores may count bits fast,
/// slowly, or by other instructions only, and on the shape.
enum class Kernel { kWords, kTensorCores };

void check(cudaError_t status) {
  TORCH_CHECK(status == cudaSuccess, "binary convolution: ", cudaGetErrorString(status));
}

bool has_tensor_cores(int device) {
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  return major >= 8;
}

/// Milliseconds of a launch that has run before.
template <class Run>
float time_of(const Run& run) {
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin));
  check(cudaEventCreate(&end));
  run();
  check(cudaEventRecord(begin, stream()));
  run();
  check(cudaEventRecord(end, stream()));
  check(cudaEventSynchronize(end));
  float milliseconds = 0.0f;
  check(cudaEventElapsedTime(&milliseconds, begin, end));
  check(cudaEventDestroy(begin));
  check(cudaEventDestroy(end));
  return milliseconds;
}

std::vector<int64_t> key_of(int device, const cuda::BinaryConv& conv) {
  std::vector<int64_t> key{device, conv.batch, conv.channels, conv.out_channels};
  for (const auto* sizes : {&conv.in, &conv.kernel, &conv.stride, &conv.padding}) {
    key.insert(key.end(), *sizes, *sizes + 3);
  }
  return key;
}

/// Runs `run(kernel)` with the faster kernel: measured when a shape is seen first on a device, then remembered.
/// `VISION_NATIVE_BINARY_CONV=words|tensor-cores` forces one, for tests. Nothing can be measured while a CUDA graph is
/// recorded: the tensor cores are taken for what has not been measured before.
template <class Run>
void run_fastest(const cuda::BinaryConv& conv, const Run& run) {
  static std::mutex mutex;
  static std::map<std::vector<int64_t>, Kernel> known;
  const int device = c10::cuda::current_device();
  if (!has_tensor_cores(device) || cuda::binary_mma_workspace(conv) == 0) return run(Kernel::kWords);
  const char* wanted = std::getenv("VISION_NATIVE_BINARY_CONV");
  if (wanted != nullptr && *wanted != 0) {
    const std::string name(wanted);
    TORCH_CHECK_VALUE(name == "words" || name == "tensor-cores", "VISION_NATIVE_BINARY_CONV=", name,
                      " is not known; use words or tensor-cores, or unset it");
    return run(name == "words" ? Kernel::kWords : Kernel::kTensorCores);
  }
  const std::vector<int64_t> key = key_of(device, conv);
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return run(found->second);
  }
  cudaStreamCaptureStatus capturing = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream(), &capturing));
  if (capturing != cudaStreamCaptureStatusNone) return run(Kernel::kTensorCores);
  const float words = time_of([&] { run(Kernel::kWords); }), cores = time_of([&] { run(Kernel::kTensorCores); });
  const std::lock_guard<std::mutex> lock(mutex);
  known.emplace(key, words < cores ? Kernel::kWords : Kernel::kTensorCores);
}

at::Tensor workspace_of(const cuda::BinaryConv& conv, const at::Tensor& like) {
  return at::empty({cuda::binary_mma_workspace(conv)}, like.options().dtype(at::kInt));
}

class CudaBinaryConv3d final : public BinaryConv3dBackend {
 public:
  void pack_sign(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits) const override {
    const c10::cuda::CUDAGuard guard(x.device());
    cuda::BinarySource source{x.const_data_ptr(), type_of(x), bias.defined() ? bias.const_data_ptr() : nullptr, {}, {}};
    for (int i = 0; i < 5; ++i) {
      source.sizes[i] = x.size(i);
      source.strides[i] = x.stride(i);
    }
    cuda::launch_pack_sign(source, reinterpret_cast<uint64_t*>(bits.mutable_data_ptr<int64_t>()), bits.size(4), stream());
  }

  void pack_weight(const at::Tensor& weight, at::Tensor& packed) const override {
    const c10::cuda::CUDAGuard guard(weight.device());
    cuda::launch_pack_weight(weight.const_data_ptr(), type_of(weight), weight.size(0), weight.size(1), packed.size(1),
                             reinterpret_cast<uint64_t*>(packed.mutable_data_ptr<int64_t>()), stream());
  }

  void convolve(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                at::Tensor& out) const override {
    const c10::cuda::CUDAGuard guard(bits.device());
    const cuda::BinaryConv conv = conv_of(bits, weight, shape);
    int32_t* to = out.mutable_data_ptr<int32_t>();
    run_fastest(conv, [&](Kernel kernel) {
      if (kernel == Kernel::kWords) return cuda::launch_binary_conv3d(conv, to, stream());
      at::Tensor workspace = workspace_of(conv, bits);
      cuda::launch_binary_conv3d_mma(conv, workspace.mutable_data_ptr<int32_t>(), to, stream());
    });
  }

  void convolve_fused(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                      const BinaryEpilogue& epilogue) const override {
    const c10::cuda::CUDAGuard guard(bits.device());
    const cuda::BinaryVectors vectors{
        floats_or_null(epilogue.scale),
        floats_or_null(epilogue.shift),
        floats_or_null(epilogue.bias1),
        floats_or_null(epilogue.slope),
        floats_or_null(epilogue.bias2),
        floats_or_null(epilogue.next_bias),
        floats_or_null(epilogue.residual),
        epilogue.residual.defined() ? epilogue.residual.size(4) : 0,
        epilogue.output.defined() ? epilogue.output.mutable_data_ptr<float>() : nullptr,
        epilogue.bits.defined() ? reinterpret_cast<uint64_t*>(epilogue.bits.mutable_data_ptr<int64_t>()) : nullptr};
    const cuda::BinaryConv conv = conv_of(bits, weight, shape);
    run_fastest(conv, [&](Kernel kernel) {
      if (kernel == Kernel::kWords) return cuda::launch_binary_conv3d_fused(conv, vectors, stream());
      at::Tensor workspace = workspace_of(conv, bits);
      cuda::launch_binary_conv3d_mma_fused(conv, workspace.mutable_data_ptr<int32_t>(), vectors, stream());
    });
  }
};

const CudaBinaryConv3d backend;
const bool registered = (register_binary_conv3d_backend(c10::DeviceType::CUDA, &backend), true);

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) { implement_binary_conv3d_ops(library); }

}  // namespace vision_native
