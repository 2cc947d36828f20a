// What a counted process asks of callgrind. Without valgrind each is a handful of instructions that
// do nothing.
#include <valgrind/callgrind.h>

// Instrumentation costs fifty times the time, and importing PyTorch needs none. Switching it on
// also empties the simulated caches.
void begin_instrumentation(void) { CALLGRIND_START_INSTRUMENTATION; }
void end_instrumentation(void) { CALLGRIND_STOP_INSTRUMENTATION; }

void begin_counting(void) {
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
}

void end_counting(const char* name) {
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name);
}
