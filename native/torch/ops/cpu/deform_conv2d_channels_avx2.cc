// Work on channels of deformable convolution for CPUs with AVX2 and FMA.
#include <cstdint>

#include "torch/ops/cpu/deform_conv2d_channels.h"

#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")
#define DEFORM_KERNELS kDeformKernelsAvx2
#include "torch/ops/cpu/deform_conv2d_channels.inl"
