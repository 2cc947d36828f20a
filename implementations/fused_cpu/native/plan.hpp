// Which channels are worked on at a time, and by whom: from the shape, the caches and the number of threads.
#pragma once

#include "passes.hpp"

// Bytes. Of this machine, unless set.
struct Caches {
    Index second, last;  // a core's own second level, and the last one, which all share
};
Caches& caches();

// Either every thread has blocks of its own, or all work as a team on one block after the other. A block is as wide as a
// cache allows, so that the second pass finds there what the first has read: a thread's own, or the last one for a team.
struct Plan {
    bool team;
    Index width;    // channels of a block
    Index items;    // rows, or pieces of planes: what a team shares out
    Index piece;    // pixels of one
    Index granule;  // items that no two threads may share: in those, elements share a byte of the mask
    Index run;      // items that are gone over at a time
    Index cached;   // runs of a thread's share of a block that stay in the cache
    bool apart;     // rows one by one
};

Plan plan_for(const Job& job, int arrays, int threads);

// Whether planes are so small that rows are quicker.
bool as_rows(const Shape& shape);

// How many threads are worth waking for so many bytes.
int threads_for(const Job& job, Index bytes, int threads);

// Whether outputs go past the caches, where a call moves so many bytes in all.
bool streams(Index bytes);
