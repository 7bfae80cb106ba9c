#pragma once
// Work on some input capsules of dense routing, for all samples. Compiled once for each instruction set.
//
// Sixteen samples lie side by side in `lanes` buffers, [block][J·N][16]; the last block is padded with samples of zeros.
// A vote is made of an input capsule and its weights where it is needed, and never leaves the first cache.
#include <cstdint>

#include "torch/ops/cpu/capsule_routing_tiles.h"

namespace vision_native {

struct CapsuleDenseSizes {
  /// Samples, input capsules and their dimension, output capsules and theirs.
  int64_t samples, inputs, from, outputs, dims;
  /// Blocks of samples, and parts of the input capsules that make sums of their own.
  int64_t blocks, chunks;
  /// Input capsules of a chunk: from `first(chunk)` to before `first(chunk + 1)`.
  int64_t first(int64_t chunk) const { return chunk * inputs / chunks; }
  int64_t rows() const { return outputs * dims; }
  /// Elements of a buffer of all samples.
  int64_t lanes() const { return blocks * rows() * kCapsuleLanes; }
};

template <typename A>
struct CapsuleDense {
  CapsuleDenseSizes sizes;
  CapsuleType type;   // of the input and of the weights
  const void* input;  // [B, I, from], rows contiguous
  int64_t sample_stride, input_stride;
  const void* weight;  // [I, J·N, from] contiguous
  int64_t iteration, iterations;
  const A* const* totals;    // Σ of the capsules of all iterations before each, lanes
  const A* const* capsules;  // y of each iteration, lanes
  const A* const* pulls;     // dL/ds of each iteration from this one on, lanes
  A* parts;                  // [chunk], lanes: sums of the forward pass, or dL/dy of the iteration before
  bool detach;
  void* input_grad;   // like the input, contiguous
  void* weight_grad;  // like the weights
};

template <typename A>
struct CapsuleDenseTiles {
  /// Elements of scratch memory that a call needs.
  int64_t (*scratch)(const CapsuleDenseSizes& sizes, int64_t iterations);
  /// Σ_i c·û in `parts`; without c in the first iteration, where all are alike.
  void (*forward)(const CapsuleDense<A>& pass, int64_t chunk, A* scratch);
  /// Σ_i Γ·û in `parts`.
  void (*backward)(const CapsuleDense<A>& pass, int64_t chunk, A* scratch);
  /// The gradients of input and weights.
  void (*finish)(const CapsuleDense<A>& pass, int64_t chunk, A* scratch);
};

struct CapsuleDenseTables {
  CapsuleDenseTiles<float> single_precision;
  CapsuleDenseTiles<double> double_precision;
};

extern const CapsuleDenseTables kCapsuleDenseTilesScalar;
extern const CapsuleDenseTables kCapsuleDenseTilesAvx2;
extern const CapsuleDenseTables kCapsuleDenseTilesAvx512;

}  // namespace vision_native
