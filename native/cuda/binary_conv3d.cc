// Binary 3D convolution on CUDA: tensors to raw pointers. The kernels are in the .cu file.
#include "torch/ops/binary_conv3d.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

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
    cuda::launch_binary_conv3d(conv_of(bits, weight, shape), out.mutable_data_ptr<int32_t>(), stream());
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
    cuda::launch_binary_conv3d_fused(conv_of(bits, weight, shape), vectors, stream());
  }
};

const CudaBinaryConv3d backend;
const bool registered = (register_binary_conv3d_backend(c10::DeviceType::CUDA, &backend), true);

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) { implement_binary_conv3d_ops(library); }

}  // namespace vision_native
