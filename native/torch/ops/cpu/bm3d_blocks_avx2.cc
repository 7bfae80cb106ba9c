// Block functions of BM3D for CPUs with AVX2. Shared headers come before the instruction set is raised.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "torch/ops/cpu/bm3d_blocks.h"

#pragma GCC target("avx2,bmi,bmi2")
#define BM3D_AVX
#define BM3D_BLOCKS kBm3dBlocksAvx2
#include "torch/ops/cpu/bm3d_blocks.inl"
