#include "plan.hpp"

#include <cstdio>

namespace {

constexpr Index LINE = 64;              // bytes of a cache line
constexpr Index ALONE = 96 * 1024;      // bytes under which a second thread costs more than it saves
constexpr Index ALONE_IN_ROWS = 320 * 1024;  // where threads meet at barriers
constexpr Index RUN = 64 * 1024;        // bytes of an array that are gone over at a time
constexpr Index LARGEST_PIECE = 16384;  // pixels: float sums of more would lose digits
constexpr Index SMALLEST_PIECE = 1024;
constexpr Index WIDEST = 64;            // planes whose sums stay in the first-level cache
constexpr Index LONGEST_APART = 1024;   // elements of a row whose constants and sums stay in the first-level cache
constexpr Index FEWEST_ROWS = 8;
constexpr Index FEW_PIXELS = 64;        // of a plane that ends before it is worth beginning

Index least(Index a, Index b) { return a < b ? a : b; }
Index most(Index a, Index b) { return a > b ? a : b; }
Index divided(Index a, Index b) { return (a + b - 1) / b; }

// What the kernel tells of the first CPU's cache of a level. The C library asks the CPU instead, which in a virtual machine
// may answer for the whole host.
Index told(int level, Index untold) {
    for (int index = 0; index < 8; ++index) {
        char path[80];
        long found = 0, size = 0;
        char unit = 0;
        std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", index);
        if (std::FILE* file = std::fopen(path, "r")) {
            if (std::fscanf(file, "%ld", &found) != 1) found = 0;
            std::fclose(file);
        }
        if (found != level) continue;
        std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
        if (std::FILE* file = std::fopen(path, "r")) {
            if (std::fscanf(file, "%ld%c", &size, &unit) < 1) size = 0;
            std::fclose(file);
        }
        if (size > 0) return size * (unit == 'K' ? 1 << 10 : unit == 'M' ? 1 << 20 : 1);
    }
    return untold;
}

// Whether `units` can be dealt out with little left over.
bool balanced(Index units, int threads) { return units % threads == 0 || units >= 4 * threads; }

// A team where the channels cannot be dealt out, or a thread's own would be too much for the cache that all share.
bool needs_team(const Job& job, Index unit, Index channel, int threads) {
    const Index units = divided(job.shape.channels, unit);
    return threads > 1 && !(units >= threads && balanced(units, threads) && threads * unit * channel <= caches().last);
}

Plan by_channels(const Job& job, int arrays, int threads, Index unit, Index widest) {
    const Shape& shape = job.shape;
    const Index channel = shape.samples * shape.pixels * job.item * arrays, units = divided(shape.channels, unit);
    Plan plan = {};
    plan.team = needs_team(job, unit, channel, threads);
    const Index room = (plan.team ? caches().last : caches().second) / 2;
    const Index deal = plan.team ? units : divided(units, threads);
    plan.width = unit * most(1, least(deal, least(widest / unit, room / (unit * channel))));
    return plan;
}

Index bytes_of(const Job& job) { return job.shape.samples * job.shape.row() * job.item; }

// Of so many pixels an item.
Index cached(const Job& job, const Plan& plan, Index pixels, int arrays, int threads) {
    const Index room = (plan.team ? caches().last / threads : caches().second) / 2;
    return most(1, room / (plan.run * pixels * plan.width * job.item * arrays));
}

Plan for_planes(const Job& job, int arrays, int threads) {
    const Shape& shape = job.shape;
    const Index unit = job.mask != nullptr && shape.pixels % 8 != 0 ? 8 : 1;
    Plan plan = by_channels(job, arrays, threads, unit, WIDEST);
    plan.piece = least(shape.pixels, LARGEST_PIECE);
    if (plan.team && shape.samples < 4 * threads)
        plan.piece = least(plan.piece, most(SMALLEST_PIECE, divided(divided(shape.pixels, 4 * threads), LINE) * LINE));
    const Index pieces = divided(shape.pixels, plan.piece);
    plan.items = shape.samples * pieces;
    plan.granule = unit > 1 ? pieces : 1;
    plan.run = most(1, RUN / (plan.piece * plan.width * job.item));
    plan.cached = cached(job, plan, plan.piece, arrays, threads);
    return plan;
}

// Rows with channels innermost are gone over whole: narrow blocks of them were read at a third of the speed, which costs more
// than reading twice. Where each has many pixels, they are dealt out as planes are. Four rows at a time come from memory at half
// the speed of one after the other, and from a cache faster.
Plan for_rows(const Job& job, int arrays, int threads) {
    const Shape& shape = job.shape;
    Plan plan = {};
    if (shape.pixels > 1) plan = by_channels(job, arrays, threads, 8, shape.channels);
    else plan.team = threads > 1, plan.width = shape.channels;
    plan.items = shape.samples;
    plan.piece = plan.granule = 1;
    plan.run = most(4, RUN / (plan.width * shape.pixels * job.item) / 4 * 4);
    plan.cached = cached(job, plan, shape.pixels, arrays, threads);
    plan.apart = bytes_of(job) > caches().last && plan.width * shape.pixels <= LONGEST_APART;
    return plan;
}

}  // namespace

Caches& caches() {
    static Caches found = {told(2, 1 << 20), told(3, 16 << 20)};
    return found;
}

Plan plan_for(const Job& job, int arrays, int threads) {
    return job.shape.rows ? for_rows(job, arrays, threads) : for_planes(job, arrays, threads);
}

int threads_for(const Job& job, Index bytes, int threads) {
    const bool meets = job.shape.rows && job.shape.pixels == 1;
    return bytes < (meets ? ALONE_IN_ROWS : ALONE) ? 1 : threads;
}

// A step has other arrays than this call's, and other layers: a call that moves more than a quarter of the cache finds little
// of it on its return. Measured as a layer, from 8 MB of 32 on streaming is ahead.
bool streams(Index bytes) { return bytes > caches().last / 4; }

// Rows have a sum for each of their elements, which pays where there are as many rows as a channel has pixels.
bool as_rows(const Shape& shape) {
    return shape.rows || (shape.pixels <= FEW_PIXELS && shape.samples >= most(FEWEST_ROWS, shape.pixels));
}
