// Block functions of BM3D for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "torch/ops/cpu/bm3d_blocks.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2")
#define BM3D_AVX
#define BM3D_BLOCKS kBm3dBlocksAvx512
#include "torch/ops/cpu/bm3d_blocks.inl"
