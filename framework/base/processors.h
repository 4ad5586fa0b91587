// How much of the machine this process may use.
#pragma once

namespace bcx {

/// Cores that this process may run on, at least 1: its affinity (`taskset`, a batch system's), and
/// no more than the time that its control group grants (`docker --cpus=2`; version 2's `cpu.max`
/// as the process sees it), rounded up. std::thread::hardware_concurrency() knows the former alone.
int usable_cores();

}  // namespace bcx
