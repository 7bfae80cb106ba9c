// Work on channels of deformable convolution for CPUs with AVX-512.
#include <cstdint>

#include "torch/ops/cpu/deform_conv2d_channels.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#pragma GCC optimize("fp-contract=fast")
#define DEFORM_KERNELS kDeformKernelsAvx512
#include "torch/ops/cpu/deform_conv2d_channels.inl"
