#pragma once
// CPU memory: every allocation LibTorch makes is counted, and refused past a limit.
#include <c10/core/Allocator.h>

#include <cstdint>

namespace vision_native::memory {

/// The number of accounts that allocations are charged to; environments share them when there are more.
inline constexpr int kAccounts = 32;

/// Puts the counting allocator in front of LibTorch's. Once per process; later calls do nothing.
void install();

/// Charges this thread's allocations to an account; returns the one before.
int charge_to(int account);

/// Charges another account for a block from now on; blocks that were not made here are left alone.
void recharge(c10::DataPtr& block, int account);

int64_t allocated();
int64_t allocated(int account);
int64_t peak();
void reset_peak();

int64_t limit();
void set_limit(int64_t bytes);

/// What this process may take when nobody says otherwise: the cgroup's limit, or what is available now.
int64_t default_limit();

}  // namespace vision_native::memory
