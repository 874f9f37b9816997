// The parts of the harness, each a file of its own.
#pragma once

#include "race.h"
#include "trace.h"

namespace nautilus::bench {

// Mean cost of an allocation and a free.
void measure_pairs(Setting& setting);
// The slow ones among single operations, with many blocks live.
void measure_tail(Setting& setting);
// Recorded programs: time, and how much memory it took to hold them.
void measure_replay(Setting& setting, const std::vector<Trace>& traces);
// How full an arena is when it refuses for the first time.
void measure_fullness(Setting& setting);
// How fast blocks move, for how long at a time, and what moving leaves unused.
void measure_moving(Setting& setting);
// Creating, attaching, recovering, reading figures, and the memory that all that takes.
void measure_lifetime(Setting& setting);

// The other end of the measured attach: a new process that was handed a ledger and a segment. Answers the process's
// exit code.
int attach_and_report(int ledger_descriptor, uint64_t ledger_bytes, int segment_descriptor, uint64_t segment_bytes,
                      uint64_t handle);

}  // namespace nautilus::bench
