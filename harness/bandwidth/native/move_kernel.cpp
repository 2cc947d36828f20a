// One thread's blocked of a pass: every byte of the reads is loaded into vector registers, every
// byte of the writes is stored.
//
// The longest region is cut into blocks of BLOCK bytes and the others into as many slices, which
// are moved block by block, as a kernel does that reads some arrays and writes others: memory sees
// reads and writes mixed, and the slices stay in the L1 cache until they are done. Bounds lie on
// cache lines, so that no line is touched twice except at the ends of a region.
//
// Addresses always ascend. If every other pass descended, it would find more in the cache, but
// blocks in descending order come two to three times as slowly from memory (measured on two EPYC
// cores, arrays of 12 MiB and more), even with the next one prefetched.
#include "move_kernel.hpp"

#include <isa.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr std::size_t WIDTH = 64;
#elif defined(__AVX2__)
constexpr std::size_t WIDTH = 32;
#else
constexpr std::size_t WIDTH = 16;
#endif
constexpr std::size_t LINE = 64, BLOCK = 8192;
// Independent sums, so that the latency of additions does not limit the loads.
constexpr int ACCUMULATORS = 4;

typedef std::uint64_t Vector __attribute__((vector_size(WIDTH), may_alias));
typedef std::uint64_t UnalignedVector __attribute__((vector_size(WIDTH), may_alias, aligned(1)));

struct Range {
    char* begin;
    char* end;
};

// One thread's range of a region, and how it is cut into blocks. The stride is in 1/FRACTION of a
// byte, so that a block's bound takes a multiplication: a 64-bit division would take as long as
// reading a quarter of a block from the cache.
struct BlockedRange {
    Range range;
    std::size_t stride;
};
constexpr std::size_t FRACTION = 1 << 16;

// Rounds down to a cache line, where one thread ends and the next begins.
char* line_start(char* at, Range range) {
    char* line = at - reinterpret_cast<std::uintptr_t>(at) % LINE;
    return line < range.begin ? range.begin : line;
}

Range range_of_thread(const Region& region, ThreadId id) {
    const Range all = {region.data, region.data + region.bytes};
    const auto bound = [&](std::size_t thread) {
        const std::size_t threads = id.threads;
        const std::size_t exact =
            region.bytes / threads * thread + region.bytes % threads * thread / threads;
        return thread == threads ? all.end : line_start(all.begin + exact, all);
    };
    return {bound(id.thread), bound(id.thread + 1)};
}

char* bound(const BlockedRange& blocked, std::size_t block, std::size_t blocks) {
    return block == blocks
               ? blocked.range.end
               : line_start(blocked.range.begin + block * blocked.stride / FRACTION, blocked.range);
}

Range slice(const BlockedRange& blocked, std::size_t block, std::size_t blocks) {
    return {bound(blocked, block, blocks), bound(blocked, block + 1, blocks)};
}

std::size_t length(Range range) { return range.end - range.begin; }

Vector load(const char* from) { return *reinterpret_cast<const UnalignedVector*>(from); }

Vector read(Range range) {
    Vector sums[ACCUMULATORS] = {};
    const char* at = range.begin;
    for (; range.end - at >= static_cast<std::ptrdiff_t>(ACCUMULATORS * WIDTH);
         at += ACCUMULATORS * WIDTH)
        for (int accumulator = 0; accumulator < ACCUMULATORS; ++accumulator)
            sums[accumulator] += load(at + accumulator * WIDTH);
    for (; range.end - at >= static_cast<std::ptrdiff_t>(WIDTH); at += WIDTH) sums[0] += load(at);
    std::uint64_t rest = 0;
    for (; at < range.end; ++at) rest += static_cast<unsigned char>(*at);
    for (int accumulator = 1; accumulator < ACCUMULATORS; ++accumulator)
        sums[0] += sums[accumulator];
    return sums[0] + rest;
}

void store_bytes(char* begin, char* end, const Vector& value) {
    const char* bytes = reinterpret_cast<const char*>(&value);
    for (char* at = begin; at < end; ++at) *at = bytes[(at - begin) % WIDTH];
}

void store_streaming(char* to, Vector value) {
#if defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<__m512i>(value));
#elif defined(__AVX2__)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(value));
#elif defined(__x86_64__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), reinterpret_cast<__m128i>(value));
#else
    *reinterpret_cast<Vector*>(to) = value;  // there is no such store on this architecture
#endif
}

void write(Range range, Vector value, bool streaming) {
    char* at = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(range.begin) + WIDTH - 1) /
                                       WIDTH * WIDTH);
    if (at > range.end) at = range.end;
    store_bytes(range.begin, at, value);
    char* const last = at + (range.end - at) / WIDTH * WIDTH;
    if (streaming)
        for (; at < last; at += WIDTH) store_streaming(at, value);
    else
        for (; at < last; at += WIDTH) *reinterpret_cast<Vector*>(at) = value;
    store_bytes(last, range.end, value);
}

std::size_t longest_range(const Region* regions, int count, ThreadId id, std::size_t at_least) {
    for (int index = 0; index < count; ++index) {
        const std::size_t bytes = length(range_of_thread(regions[index], id));
        if (bytes > at_least) at_least = bytes;
    }
    return at_least;
}

// Fills `blocked_ranges` and returns their number. Ranges too short for a cache line in every block
// are left out and given to `move_whole` at once.
template <typename F>
int split_into_blocks(const Region* regions, int count, ThreadId id, std::size_t blocks,
                      BlockedRange* blocked_ranges, F move_whole) {
    int split = 0;
    for (int index = 0; index < count; ++index) {
        const Range range = range_of_thread(regions[index], id);
        if (length(range) < blocks * LINE) move_whole(range);
        else blocked_ranges[split++] = {range, length(range) * FRACTION / blocks};
    }
    return split;
}

}  // namespace

std::uint64_t BNBENCH_NAME(move)(const Pass& pass, ThreadId id, bool streaming) {
    const std::size_t bytes = longest_range(pass.writes, pass.write_count, id,
                                            longest_range(pass.reads, pass.read_count, id, 0));
    if (bytes == 0) return 0;
    const std::size_t blocks = (bytes + BLOCK - 1) / BLOCK;
    Vector sum = {};
    BlockedRange from[MAX_REGIONS], to[MAX_REGIONS];
    const int reads = split_into_blocks(pass.reads, pass.read_count, id, blocks, from,
                                        [&](Range range) { sum += read(range); });
    const int writes = split_into_blocks(pass.writes, pass.write_count, id, blocks, to,
                                         [&](Range range) { write(range, sum, streaming); });
    for (std::size_t block = 0; block < blocks; ++block) {
        // What is stored was read a block ago: stores that depended on this block's loads would
        // have to wait for them.
        const Vector value = sum + 1;
        for (int index = 0; index < reads; ++index) sum += read(slice(from[index], block, blocks));
        for (int index = 0; index < writes; ++index)
            write(slice(to[index], block, blocks), value, streaming);
    }
#if defined(__x86_64__)
    if (streaming) _mm_sfence();
#endif
    std::uint64_t total = 0;
    for (std::size_t word = 0; word < WIDTH / sizeof total; ++word) total += sum[word];
    return total;
}
