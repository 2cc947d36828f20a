// One thread's share of a pass: every byte of the reads is loaded into vector registers, every byte of the writes stored.
//
// It goes in blocks of BLOCK bytes of the longest array, and the proportional slices of the others, as a kernel does that
// reads some arrays and writes others: the memory sees them mixed, and the slices are still in the first-level cache when
// they are done. Bounds lie on cache lines, so that no line is touched twice but at the ends of an array.
//
// Always upwards. Every other pass downwards would find more in the cache, but blocks in descending order come two to three
// times as slowly from memory (measured on two EPYC cores, arrays of 12 MiB and more), even where the next is prefetched.
#include "walk.hpp"

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
constexpr int LANES = 4;  // independent sums, so that the latency of adding limits nothing

typedef std::uint64_t Vector __attribute__((vector_size(WIDTH), may_alias));
typedef std::uint64_t Loose __attribute__((vector_size(WIDTH), may_alias, aligned(1)));

struct Span {
    char* begin;
    char* end;
};

// One thread's part of an array, and how it is cut into blocks. A stride is in 1/FRACTION of a byte, so that a block's bound
// takes a multiplication: a division of 64 bits would last as long as reading a quarter of a block from the cache.
struct Part {
    Span span;
    std::size_t stride;
};
constexpr std::size_t FRACTION = 1 << 16;

// Down to a cache line: neighbours meet there.
char* line_of(char* at, Span within) {
    char* line = at - reinterpret_cast<std::uintptr_t>(at) % LINE;
    return line < within.begin ? within.begin : line;
}

Span share_of(const Stream& stream, Share share) {
    const Span all = {stream.data, stream.data + stream.bytes};
    const auto bound = [&](std::size_t thread) {
        const std::size_t threads = share.threads;
        const std::size_t exact = stream.bytes / threads * thread + stream.bytes % threads * thread / threads;
        return thread == threads ? all.end : line_of(all.begin + exact, all);
    };
    return {bound(share.thread), bound(share.thread + 1)};
}

char* bound(const Part& part, std::size_t block, std::size_t blocks) {
    return block == blocks ? part.span.end : line_of(part.span.begin + block * part.stride / FRACTION, part.span);
}

Span slice(const Part& part, std::size_t block, std::size_t blocks) {
    return {bound(part, block, blocks), bound(part, block + 1, blocks)};
}

std::size_t length(Span span) { return span.end - span.begin; }

Vector load(const char* from) { return *reinterpret_cast<const Loose*>(from); }

Vector read(Span span) {
    Vector sums[LANES] = {};
    const char* at = span.begin;
    for (; span.end - at >= static_cast<std::ptrdiff_t>(LANES * WIDTH); at += LANES * WIDTH)
        for (int lane = 0; lane < LANES; ++lane) sums[lane] += load(at + lane * WIDTH);
    for (; span.end - at >= static_cast<std::ptrdiff_t>(WIDTH); at += WIDTH) sums[0] += load(at);
    std::uint64_t rest = 0;
    for (; at < span.end; ++at) rest += static_cast<unsigned char>(*at);
    for (int lane = 1; lane < LANES; ++lane) sums[0] += sums[lane];
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
    *reinterpret_cast<Vector*>(to) = value;  // no such store here
#endif
}

void write(Span span, Vector value, bool streaming) {
    char* at = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(span.begin) + WIDTH - 1) / WIDTH * WIDTH);
    if (at > span.end) at = span.end;
    store_bytes(span.begin, at, value);
    char* const last = at + (span.end - at) / WIDTH * WIDTH;
    if (streaming)
        for (; at < last; at += WIDTH) store_streaming(at, value);
    else
        for (; at < last; at += WIDTH) *reinterpret_cast<Vector*>(at) = value;
    store_bytes(last, span.end, value);
}

std::size_t longest(const Stream* streams, int count, Share share, std::size_t least) {
    for (int index = 0; index < count; ++index) {
        const std::size_t bytes = length(share_of(streams[index], share));
        if (bytes > least) least = bytes;
    }
    return least;
}

// What is too short to have a line in every block is given to `whole` at once; returns how many `parts` the others are.
template <typename Whole>
int cut(const Stream* streams, int count, Share share, std::size_t blocks, Part* parts, Whole whole) {
    int kept = 0;
    for (int index = 0; index < count; ++index) {
        const Span span = share_of(streams[index], share);
        if (length(span) < blocks * LINE)
            whole(span);
        else
            parts[kept++] = {span, length(span) * FRACTION / blocks};
    }
    return kept;
}

}  // namespace

std::uint64_t BNBENCH_NAME(walk)(const Pass& pass, Share share, bool streaming) {
    const std::size_t bytes = longest(pass.writes, pass.write_count, share, longest(pass.reads, pass.read_count, share, 0));
    if (bytes == 0) return 0;
    const std::size_t blocks = (bytes + BLOCK - 1) / BLOCK;
    Vector sum = {};
    Part from[MOST_STREAMS], to[MOST_STREAMS];
    const int reads = cut(pass.reads, pass.read_count, share, blocks, from, [&](Span span) { sum += read(span); });
    const int writes = cut(pass.writes, pass.write_count, share, blocks, to, [&](Span span) { write(span, sum, streaming); });
    for (std::size_t block = 0; block < blocks; ++block) {
        // What is stored was read a block ago: a store that waited for this block's loads would keep them from overlapping.
        const Vector value = sum + 1;
        for (int index = 0; index < reads; ++index) sum += read(slice(from[index], block, blocks));
        for (int index = 0; index < writes; ++index) write(slice(to[index], block, blocks), value, streaming);
    }
#if defined(__x86_64__)
    if (streaming) _mm_sfence();
#endif
    std::uint64_t folded = 0;
    for (std::size_t word = 0; word < WIDTH / sizeof folded; ++word) folded += sum[word];
    return folded;
}
