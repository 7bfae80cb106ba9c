#pragma once
// Launches of the capsule kernels: raw pointers and a stream, so that the kernels compile without ATen.
#include <cuda_runtime_api.h>

#include <cstdint>

namespace vision_native::cuda {

enum class CapsuleElement { kFloat, kDouble, kHalf, kBFloat16 };

/// Positions of a tile, and samples of a block of dense routing: the lanes of a warp.
constexpr int kCapsuleLanes = 32;

/// Routing over positions and output types. Sums are float64 for float64 votes, else float32; all memory is contiguous.
struct CapsuleRoute {
  CapsuleElement element;
  int64_t batch, inputs, outputs, dims, positions, tiles;
  double kappa;
  const void* votes;  ///< `[B, S, K, N, P]`
  const void* bias;   ///< `[K, N]` of the sums' type, or null
  int64_t iterations;
  void* logits;      ///< `[R − 1, B, S, K, P]`, or one of them where `keeps` is false
  void* statistics;  ///< `[R − 1, B, 2, S]`: largest logit and 1/Σ exp(b − maximum)
  bool keeps;        ///< all logits, for a backward pass
  void* parts;       ///< `[2, B·S, K·tiles]`
  void* capsules;    ///< `[B, K, N, P]` like the votes
  void* couplings;   ///< `[B, S, K, P]` of the sums' type, or null
};

void launch_capsule_route(const CapsuleRoute& route, cudaStream_t stream);

struct CapsuleRouteBackward {
  bool detach;
  const void* grad;   ///< `[B, K, N, P]` of the sums' type
  void* gammas;       ///< `[R − 1, B, S, K, P]`
  void* means;        ///< `[R, B, S]`
  void* bias_parts;   ///< `[B, K, N, tiles]`
  void* sums;         ///< `[B, S, K, N, P]` of the sums' type where a tile does not fit into shared memory, else null
  void* votes_grad;   ///< like the votes
};

/// Whether the gradients of a tile fit into shared memory.
bool capsule_tile_fits(const CapsuleRoute& route);
void launch_capsule_route_backward(const CapsuleRoute& route, const CapsuleRouteBackward& backward, cudaStream_t stream);

// ---- Dense routing (capsule_routing_dense.cu) -----------------------------------------------------------------------

/// `lanes` buffers are `[blocks, J·M, 32]`: 32 samples side by side, the last block padded with zeros.
struct CapsuleDense {
  CapsuleElement element;
  int64_t samples, inputs, from, outputs, dims, blocks, chunks;
  double kappa;
  int64_t iterations;
  bool detach;
  const void* input;   ///< `[B, I, N]`
  const void* weight;  ///< `[I, J·M, N]`
  const void* bias;    ///< `[J, M]` of the sums' type, or null
  void* totals;        ///< `[R]` lanes: capsules of all iterations before
  void* capsules;      ///< `[R]` lanes
  void* pulls;         ///< `[R]` lanes: dL/ds
  void* sums;          ///< `[R]` lanes: before the squash
  void* parts;         ///< `[chunks]` lanes
};

void launch_capsule_dense(const CapsuleDense& dense, cudaStream_t stream);

/// From `sums`; `grad` are lanes. Gradients have the type of the input.
void launch_capsule_dense_backward(const CapsuleDense& dense, const void* grad, void* input_grad, void* weight_grad,
                                   cudaStream_t stream);

// ---- Squash ---------------------------------------------------------------------------------------------------------

/// Capsules lie between `outer` and `inner` indices. With `grad`, the gradient is made.
void launch_squash(CapsuleElement element, const void* input, const void* grad, void* out, int64_t outer, int64_t dims,
                   int64_t inner, double kappa, cudaStream_t stream);

}  // namespace vision_native::cuda
