#pragma once
// The best of many ranked rows, a key at a time.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "torch/ops/knn_key.h"

namespace vision_native {

/// The k smallest keys, whatever the order in which they come.
template <typename Key>
class BestKeys {
 public:
  explicit BestKeys(int64_t k) : k_(k) { keys_.reserve(2 * k + 32); }

  /// No key above it is wanted.
  Key limit() const { return limit_; }

  void offer(Key key) {
    if (key >= limit_) return;
    keys_.push_back(key);
    if (static_cast<int64_t>(keys_.size()) < 2 * k_ + 32) return;
    cut();
  }

  void take(const BestKeys& other) {
    for (const Key key : other.keys_) offer(key);
  }

  /// In order.
  const std::vector<Key>& finish() {
    if (static_cast<int64_t>(keys_.size()) > k_) cut();
    std::sort(keys_.begin(), keys_.end());
    return keys_;
  }

 private:
  void cut() {
    std::nth_element(keys_.begin(), keys_.begin() + k_ - 1, keys_.end());
    keys_.resize(k_);
    limit_ = keys_[k_ - 1];
  }

  int64_t k_;
  Key limit_ = ~Key{0};
  std::vector<Key> keys_;
};

}  // namespace vision_native
