// Tile functions of capsule routing for CPUs with AVX2. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "torch/ops/cpu/capsule_routing_tiles.h"

#pragma GCC target("avx2")
#define CAPSULE_VECTOR_BYTES 32
#define CAPSULE_TILES kCapsuleTilesAvx2
#include "torch/ops/cpu/capsule_routing_tiles.inl"
