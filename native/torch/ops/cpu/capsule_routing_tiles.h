#pragma once
// Work on one tile of votes: some positions of one output type, for all input types. Compiled once for each instruction
// set.
//
// A tile has `sizes.tile` places, the last tile of a row fewer positions; buffers of a tile are padded to whole tiles, so
// that no loop has a remainder. Those by input type are [S][tile], those by capsule dimension [N][tile]; an item is one
// tile of one output type.
#include <cstdint>

namespace vision_native {

enum class CapsuleType { kFloat, kDouble, kHalf, kBFloat16 };

/// Values of one sample in any layout; strides in elements.
struct CapsuleView {
  void* data;
  CapsuleType type;
  int64_t input_stride, output_stride, dim_stride, row_stride, column_stride;
};

/// `tile` is a multiple of kCapsuleLanes; `tiles` of them cover the positions.
struct CapsuleSizes {
  int64_t inputs, outputs, dims, width, positions, tile, tiles;
};

constexpr int64_t kCapsuleLanes = 16;

/// Couplings of one iteration: exp(logits − maximum)·factor of the input type, or `uniform` where there are no logits.
template <typename A>
struct CapsuleCouplings {
  const A* logits;   // [S][K·P]
  const A* maxima;   // [S]
  const A* factors;  // [S]
  A uniform;
};

template <typename A>
struct CapsuleForward {
  CapsuleSizes sizes;
  CapsuleView votes;
  const A* bias;  // [K, N] or null
  A kappa;
  CapsuleCouplings<A> couplings;
  A* next_logits;  // [S][K·P], may be those of the couplings; null in the last iteration
  A* maxima;       // [item][S], of next_logits
  A* sums;         // [item][S], of exp(next_logits − maxima)
  const CapsuleView* capsules;  // result; null before the last iteration
  const CapsuleView* couplings_out;
};

template <typename A>
struct CapsuleBackward {
  CapsuleSizes sizes;
  CapsuleView votes;
  const A* bias;
  A kappa;
  int64_t iteration, iterations;
  CapsuleView grad;                      // of the capsules
  const CapsuleCouplings<A>* couplings;  // of every iteration
  A* const* gammas;                      // [item][S][tile] of every iteration but the first: c, and Γ after the next pass
  const A* const* means;                 // Σ o·c of every iteration, [S]
  A* mean_parts;                         // [item][S]
  A* bias_parts;                         // [item][N]
  CapsuleView votes_grad;
};

template <typename A>
struct CapsuleTiles {
  /// Elements of scratch memory that a call needs.
  int64_t (*scratch)(const CapsuleSizes& sizes, int64_t iterations);
  /// `next` is the item that this thread takes after this one, whose votes are fetched ahead; itself where there is none.
  void (*forward)(const CapsuleForward<A>& pass, int64_t item, int64_t next, A* scratch);
  /// Largest logit of each input type, and 1/Σ exp(b − maximum), of what the items have.
  void (*merge)(const CapsuleSizes& sizes, const A* item_maxima, const A* item_sums, A* maxima, A* factors);
  /// c of an iteration before the gradient of the votes is made.
  void (*backward)(const CapsuleBackward<A>& pass, int64_t item, int64_t next, A* scratch);
  /// The gradient of the votes; `iteration` is the first that has a part in it.
  void (*finish)(const CapsuleBackward<A>& pass, int64_t item, int64_t next, A* scratch);
};

struct CapsuleTables {
  CapsuleTiles<float> single_precision;
  CapsuleTiles<double> double_precision;
};

extern const CapsuleTables kCapsuleTilesScalar;
extern const CapsuleTables kCapsuleTilesAvx2;
extern const CapsuleTables kCapsuleTilesAvx512;

}  // namespace vision_native
