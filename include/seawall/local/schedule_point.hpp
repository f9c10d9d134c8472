// Where a test may take the processor away: the engine's lock-free parts call schedule_point() between their atomic
// steps. In the library it is nothing; tests/schedules defines SEAWALL_SCHEDULE_POINTS and drives the threads by a
// seed.
#pragma once

namespace seawall::local {

#if defined(SEAWALL_SCHEDULE_POINTS)
void schedule_point() noexcept;  // defined by the test
#else
inline void schedule_point() noexcept {}
#endif

}  // namespace seawall::local
