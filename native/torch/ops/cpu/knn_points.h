#pragma once
// Scans of point clouds: nearest points, points in a ball, the furthest point. One table for each instruction set; all give
// the same bits.
#include <cstdint>

#include "torch/ops/knn_key.h"

namespace vision_native {

/// Clouds of up to this many dimensions are scanned with the axes apart; others by a matrix product and a selection.
constexpr int64_t kScannedDims = 16;
/// Points that a scan takes at once; `Cloud::stride` is a multiple of it.
constexpr int64_t kPointLanes = 16;
/// Neighbours up to which the best are kept in order; more are collected and cut down.
constexpr int64_t kSortedNeighbours = 32;

/// Axis d of point i is `data[d * stride + i]`; points from `count` on are NaN.
template <typename A>
struct Cloud {
  const A* data;
  int64_t stride, count, dims;
};

/// Points whose distances are stored while a bound is looked for.
constexpr int64_t kBoundedPoints = 8192;

/// Neighbours while they are looked for. `keys` holds `capacity` of them, more than k.
template <typename A>
struct Neighbours {
  using Key = typename KeyOf<A>::Key;
  Key* keys;
  int64_t k, capacity, count;
  /// Nothing that is not below this distance is wanted.
  A limit;
  /// Room for kBoundedPoints distances and 4k + 64 minima of groups of them.
  A* scratch;
  /// Puts the k smallest of `count` keys first, in any order or in order.
  void (*cut)(Key* keys, int64_t k, int64_t count);
  void (*order)(Key* keys, int64_t k, int64_t count);

  void offer(A distance, int64_t index) {
    if (!(distance < limit)) return;
    const Key key = near_key(distance, static_cast<uint32_t>(index));
    if (k <= kSortedNeighbours) {
      int64_t place = count < k ? count++ : k - 1;
      for (; place > 0 && keys[place - 1] > key; --place) keys[place] = keys[place - 1];
      keys[place] = key;
      if (count == k) limit = distance_of<A>(keys[k - 1]);
      return;
    }
    keys[count++] = key;
    if (count < capacity) return;
    cut(keys, k, count);
    count = k;
    limit = distance_of<A>(keys[k - 1]);
  }
};

template <typename A>
struct PointScans {
  /// The nearest point, or −1 where no distance is finite.
  int64_t (*nearest)(const Cloud<A>& cloud, const A* query, A* distance);
  /// Collects points whose distance is finite; the k smallest keys are among them, and in order up to kSortedNeighbours.
  void (*neighbours)(const Cloud<A>& cloud, const A* query, Neighbours<A>& found);
  /// The first `samples` points nearer than the root of `squared_radius`; returns how many there are.
  int64_t (*ball)(const Cloud<A>& cloud, const A* query, A squared_radius, int64_t samples, int64_t* indices);
  /// Lowers each point's distance to the set by its distance to `point`, and returns where it is largest, or −1 where
  /// all are −∞.
  int64_t (*furthest)(const Cloud<A>& cloud, const A* point, A* distances);
  /// Squared distance of two rows, and a row's squared length, summed in a fixed order.
  A (*distance)(const A* a, const A* b, int64_t dims);
  A (*length)(const A* a, int64_t dims);
  /// Places of `count` products a·b at which |a|² + |b|² − 2a·b may be below `limit`, given its largest error relative
  /// to |a|² + |b|².
  int64_t (*candidates)(const A* products, const A* lengths, A length, int64_t count, A limit, A error, int32_t* places);
};

struct PointTables {
  PointScans<float> narrow;
  PointScans<double> wide;
};

extern const PointTables kPointScansScalar, kPointScansAvx2, kPointScansAvx512;

}  // namespace vision_native
