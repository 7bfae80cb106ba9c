#pragma once
// Work on one tile of votes: some positions of one output type, for all input types. Compiled once for each instruction
// set.
//
// A tile has `kTile` places, the last tile of a row fewer positions; every buffer here is padded to whole tiles, so that
// no loop has a remainder. Buffers by input type are [item][S][kTile], those by capsule dimension [item][N][kTile];
// an item is one tile of one output type.
#include <cstdint>

namespace vision_native {

enum class CapsuleType { kFloat, kDouble, kHalf, kBFloat16 };

/// Values of one sample in any layout; strides in elements.
struct CapsuleView {
  void* data;
  CapsuleType type;
  int64_t input_stride, output_stride, dim_stride, row_stride, column_stride;
};

struct CapsuleSizes {
  int64_t inputs, outputs, dims, width, positions, tiles;
};

/// Couplings of one iteration: `weights` times `factor` of the input type, or `uniform` where there are no weights.
template <typename A>
struct CapsuleCouplings {
  const A* weights;
  const A* factors;
  A uniform;
};

template <typename A>
struct CapsuleForward {
  CapsuleSizes sizes;
  CapsuleView votes;
  const A* bias;  // [K, N] or null
  A kappa;
  CapsuleCouplings<A> couplings;
  const A* logits;        // b of this iteration; null stands for zeros
  A* next_logits;         // null in the last iteration
  A* maxima;              // [item][S], of next_logits
  CapsuleView* capsules;  // result; null before the last iteration
  CapsuleView* couplings_out;
};

template <typename A>
struct CapsuleBackward {
  CapsuleSizes sizes;
  CapsuleView votes;
  const A* bias;
  A kappa;
  int64_t iteration, iterations;
  bool first;                           // the last iteration of the forward pass, where the gradient enters
  bool last;                            // writes the gradient of the votes
  CapsuleView grad;                     // of the capsules
  const CapsuleCouplings<A>* couplings;  // of every iteration
  A* const* gammas;                     // dL/db of every iteration
  A* const* pulls;                      // h of every iteration
  A* const* capsules;                   // y of every iteration
  A* agreement;                         // c of the iteration before, replaced
  const A* means;                       // Σ o·c of the iteration before, [S]
  A* mean_parts;                        // [item][S]
  A* bias_parts;                        // [item][N]
  CapsuleView votes_grad;
};

template <typename A>
struct CapsuleTiles {
  int64_t tile;
  /// Elements of scratch memory that a call needs.
  int64_t (*scratch)(const CapsuleSizes& sizes, int64_t iterations);
  void (*forward)(const CapsuleForward<A>& pass, int64_t item, A* scratch);
  /// Logits to exp(b − M) in `weights`; the sums go to `parts` [item][S].
  void (*exponentials)(const A* logits, const A* maxima, A* weights, A* parts, int64_t inputs, int64_t item);
  void (*backward)(const CapsuleBackward<A>& pass, int64_t item, A* scratch);
};

struct CapsuleTables {
  CapsuleTiles<float> wide, narrow;
  CapsuleTiles<double> wide_double, narrow_double;
};

extern const CapsuleTables kCapsuleTilesScalar;
extern const CapsuleTables kCapsuleTilesAvx2;
extern const CapsuleTables kCapsuleTilesAvx512;

}  // namespace vision_native
