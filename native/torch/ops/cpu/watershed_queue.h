#pragma once
// The queue of the flood: a line of places for each level, first in, first out, and a tree of bits that finds the lowest
// level whose line is not empty. Pushing and popping take the same time however much waits.
#include <cstdint>
#include <vector>

namespace vision_native {

/// The lowest of the bits that are set, and setting and clearing them, in steps of 64.
class BitTree {
 public:
  explicit BitTree(int64_t bits) {
    do {
      bits = (bits + 63) / 64;
      layers_.emplace_back(bits, 0);
    } while (bits > 1);
  }

  void set(int64_t bit) {
    for (auto& layer : layers_) {
      uint64_t& word = layer[bit / 64];
      const bool was_empty = word == 0;
      word |= uint64_t{1} << (bit % 64);
      if (!was_empty) return;
      bit /= 64;
    }
  }

  void clear(int64_t bit) {
    for (auto& layer : layers_) {
      uint64_t& word = layer[bit / 64];
      word &= ~(uint64_t{1} << (bit % 64));
      if (word != 0) return;
      bit /= 64;
    }
  }

  /// −1 when none is set.
  int64_t lowest() const {
    int64_t place = 0;
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
      const uint64_t word = (*layer)[place];
      if (word == 0) return -1;
      place = place * 64 + __builtin_ctzll(word);
    }
    return place;
  }

 private:
  std::vector<std::vector<uint64_t>> layers_;
};

/// Places wait at most once each; `next` has an element for every place.
template <typename Index>
class LevelQueue {
 public:
  LevelQueue(int64_t levels, Index* next) : waiting_(levels), ends_(levels, Ends{kNone, kNone}), next_(next) {}

  void push(int64_t level, Index place) {
    Ends& line = ends_[level];
    next_[place] = kNone;
    if (line.first == kNone) {
      line.first = place;
      waiting_.set(level);
      if (level < lowest_ || lowest_ < 0) lowest_ = level;
    } else {
      next_[line.last] = place;
    }
    line.last = place;
  }

  bool empty() const { return lowest_ < 0; }

  /// The place that waited longest of those at the lowest level.
  Index pop() {
    Ends& line = ends_[lowest_];
    const Index place = line.first;
    line.first = next_[place];
    if (line.first == kNone) {
      waiting_.clear(lowest_);
      lowest_ = waiting_.lowest();
    }
    return place;
  }

 private:
  static constexpr Index kNone = -1;
  struct Ends {
    Index first, last;
  };

  BitTree waiting_;
  std::vector<Ends> ends_;
  Index* next_;
  int64_t lowest_ = -1;
};

}  // namespace vision_native
