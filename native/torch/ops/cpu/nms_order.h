#pragma once
// Order of scores: highest first, equal ones as they were given, NaN before all, as torch.sort's.
#include <bit>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace vision_native {

/// Places of `scores` in descending order, by counting 11 bits of their keys at a time.
template <typename T>
std::vector<int32_t> nms_order(const T* scores, int64_t count) {
  using Key = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr int kBits = 11, kBuckets = 1 << kBits;
  constexpr Key kSign = Key(1) << (8 * sizeof(T) - 1);
  struct Item {
    Key key;
    int32_t place;
  };
  std::vector<Item> items(count), sorted(count);
  for (int64_t i = 0; i < count; ++i) {
    const T score = scores[i];
    // −0 and 0 are equal.
    const Key bits = std::bit_cast<Key>(score == T(0) ? T(0) : score);
    const Key ascending = bits & kSign ? ~bits : bits | kSign;
    items[i] = {score == score ? ~ascending : Key(0), static_cast<int32_t>(i)};
  }
  for (int shift = 0; shift < static_cast<int>(8 * sizeof(T)); shift += kBits) {
    int64_t places[kBuckets] = {};
    for (const Item& item : items) ++places[item.key >> shift & (kBuckets - 1)];
    int64_t next = 0;
    for (int64_t& place : places) {
      const int64_t here = place;
      place = next;
      next += here;
    }
    for (const Item& item : items) sorted[places[item.key >> shift & (kBuckets - 1)]++] = item;
    items.swap(sorted);
  }
  std::vector<int32_t> order(count);
  for (int64_t i = 0; i < count; ++i) order[i] = items[i].place;
  return order;
}

}  // namespace vision_native
