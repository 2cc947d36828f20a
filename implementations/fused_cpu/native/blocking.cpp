#include "blocking.hpp"

#include <cstdio>

namespace {

constexpr Index LINE = 64;  // bytes of a cache line
// Bytes moved by a call below which a second thread costs more than it saves, and the same where
// threads meet at barriers.
constexpr Index SINGLE_THREAD_BYTES = 96 * 1024;
constexpr Index SINGLE_THREAD_BYTES_WITH_BARRIERS = 320 * 1024;
constexpr Index CHUNK_BYTES = 64 * 1024;  // of one array
constexpr Index MAX_PIECE = 16384;        // pixels: float sums of more would lose digits
constexpr Index MIN_PIECE = 1024;
constexpr Index MAX_PLANES = 64;        // in a block, so that their sums stay in the L1 cache
constexpr Index MAX_SINGLE_ROW = 1024;  // elements whose coefficients and sums stay in the L1 cache
constexpr Index MIN_ROWS = 8;
constexpr Index MAX_ROW_WISE_PIXELS =
    64;  // planes up to here are too short for the loop over planes

Index min(Index a, Index b) { return a < b ? a : b; }
Index max(Index a, Index b) { return a > b ? a : b; }
Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

// The size in bytes that Linux reports for the first CPU's cache of a level, or `fallback`. The C
// library's sysconf asks the CPU instead, which in a virtual machine may describe the whole host.
Index cache_size(int level, Index fallback) {
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
    return fallback;
}

// Whether `units` divide among the threads with little left over.
bool balanced(Index units, int threads) { return units % threads == 0 || units >= 4 * threads; }

// A team works on each block where the channels do not divide among the threads, or where all
// threads' blocks together would exceed the shared cache. `channel` is in bytes.
bool needs_team(const KernelArgs& args, Index unit, Index channel, int threads) {
    const Index units = ceil_div(args.shape.channels, unit);
    return threads > 1 && !(units >= threads && balanced(units, threads) &&
                            threads * unit * channel <= cache_sizes().last_level);
}

// Blocks of at most `max_width` channels, in multiples of `unit`.
Blocking block_channels(const KernelArgs& args, int arrays, int threads, Index unit,
                        Index max_width) {
    const Shape& shape = args.shape;
    const Index channel = shape.samples * shape.pixels * args.item_bytes * arrays;
    const Index units = ceil_div(shape.channels, unit);
    Blocking blocking = {};
    blocking.team = needs_team(args, unit, channel, threads);
    const Index room = (blocking.team ? cache_sizes().last_level : cache_sizes().l2) / 2;
    const Index units_per_thread = blocking.team ? units : ceil_div(units, threads);
    blocking.width =
        unit * max(1, min(units_per_thread, min(max_width / unit, room / (unit * channel))));
    return blocking;
}

Index bytes_per_array(const KernelArgs& args) {
    return args.shape.samples * args.shape.row_size() * args.item_bytes;
}

// How many chunks of items with `pixels` pixels stay in the cache.
Index cached_chunks(const KernelArgs& args, const Blocking& blocking, Index pixels, int arrays,
                    int threads) {
    const Index room = (blocking.team ? cache_sizes().last_level / threads : cache_sizes().l2) / 2;
    return max(1, room / (blocking.chunk * pixels * blocking.width * args.item_bytes * arrays));
}

Blocking block_planes(const KernelArgs& args, int arrays, int threads) {
    const Shape& shape = args.shape;
    const Index unit = args.mask != nullptr && shape.pixels % 8 != 0 ? 8 : 1;
    Blocking blocking = block_channels(args, arrays, threads, unit, MAX_PLANES);
    blocking.piece = min(shape.pixels, MAX_PIECE);
    if (blocking.team && shape.samples < 4 * threads)
        blocking.piece =
            min(blocking.piece,
                max(MIN_PIECE, ceil_div(ceil_div(shape.pixels, 4 * threads), LINE) * LINE));
    const Index pieces = ceil_div(shape.pixels, blocking.piece);
    blocking.items = shape.samples * pieces;
    blocking.granule = unit > 1 ? pieces : 1;
    blocking.chunk = max(1, CHUNK_BYTES / (blocking.piece * blocking.width * args.item_bytes));
    blocking.cached_chunks = cached_chunks(args, blocking, blocking.piece, arrays, threads);
    return blocking;
}

// Rows with channels innermost are traversed whole: narrow blocks of them were read at a third of
// the speed, which costs more than reading twice. Rows of many pixels per channel are divided as
// planes are. From memory, tiles of four rows come at half the speed of single rows; from a cache,
// faster.
Blocking block_rows(const KernelArgs& args, int arrays, int threads) {
    const Shape& shape = args.shape;
    Blocking blocking = {};
    if (shape.pixels > 1) blocking = block_channels(args, arrays, threads, 8, shape.channels);
    else blocking.team = threads > 1, blocking.width = shape.channels;
    blocking.items = shape.samples;
    blocking.piece = blocking.granule = 1;
    const Index row_bytes = blocking.width * shape.pixels * args.item_bytes;
    blocking.chunk = max(4, CHUNK_BYTES / row_bytes / 4 * 4);
    blocking.cached_chunks = cached_chunks(args, blocking, shape.pixels, arrays, threads);
    blocking.single_rows = bytes_per_array(args) > cache_sizes().last_level &&
                           blocking.width * shape.pixels <= MAX_SINGLE_ROW;
    return blocking;
}

}  // namespace

CacheSizes& cache_sizes() {
    static CacheSizes sizes = {cache_size(2, 1 << 20), cache_size(3, 16 << 20)};
    return sizes;
}

Blocking choose_blocking(const KernelArgs& args, int arrays, int threads) {
    return args.shape.row_wise ? block_rows(args, arrays, threads)
                               : block_planes(args, arrays, threads);
}

int useful_threads(const KernelArgs& args, Index bytes, int threads) {
    const bool barriers = args.shape.row_wise && args.shape.pixels == 1;
    return bytes < (barriers ? SINGLE_THREAD_BYTES_WITH_BARRIERS : SINGLE_THREAD_BYTES) ? 1
                                                                                        : threads;
}

// Between two calls of a layer, a training step moves the arrays of other layers too, so a call
// that moves more than a quarter of the cache finds little of it left the next time. Measured on
// layers, with 32 MB of cache: streaming is ahead from 8 MB on.
bool prefer_streaming(Index bytes) { return bytes > cache_sizes().last_level / 4; }

// Row by row there is a sum for each element of a row, which pays where there are at least as many
// rows as a channel has pixels.
bool prefer_rows(const Shape& shape) {
    return shape.row_wise ||
           (shape.pixels <= MAX_ROW_WISE_PIXELS && shape.samples >= max(MIN_ROWS, shape.pixels));
}
