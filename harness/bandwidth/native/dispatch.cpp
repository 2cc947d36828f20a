// The library's C interface: passes over streams, shared among OpenMP's threads, by the instruction set chosen at run time.
#include "walk.hpp"

#include <isa.hpp>
#include <omp.h>

namespace {

// Under this many bytes to move, waking other threads takes longer than they save: about 1.5 µs, in which a core alone moves
// this much within its own cache (measured on two EPYC cores, whose threads spin while they wait).
constexpr std::size_t ALONE = 128 * 1024;

std::size_t total(const Pass* passes, int count) {
    std::size_t bytes = 0;
    for (int index = 0; index < count; ++index) {
        for (int read = 0; read < passes[index].read_count; ++read) bytes += passes[index].reads[read].bytes;
        for (int write = 0; write < passes[index].write_count; ++write) bytes += passes[index].writes[write].bytes;
    }
    return bytes;
}

// A thread goes on without waiting for others: nothing depends on what they did.
std::uint64_t walk_all(const Pass* passes, int count, Share share, bool streaming) {
    Walk* const walk = BNBENCH_CHOOSE(walk);
    std::uint64_t sum = 0;
    for (int index = 0; index < count; ++index) sum += walk(passes[index], share, streaming);
    return sum;
}

}  // namespace

// Move every byte of `count` passes once. Returns what Walk does, so that nothing that was read counts as unused. Needs a
// path: see bnbench_isa.
BNBENCH_EXPORT std::uint64_t bnbench_move(const Pass* passes, int count, int streaming) {
    if (omp_get_max_threads() == 1 || total(passes, count) < ALONE)
        return walk_all(passes, count, {0, 1}, streaming != 0);
    std::uint64_t sum = 0;
#pragma omp parallel reduction(+ : sum)
    sum += walk_all(passes, count, {omp_get_thread_num(), omp_get_num_threads()}, streaming != 0);
    return sum;
}

BNBENCH_EXPORT int bnbench_threads() { return omp_get_max_threads(); }

// "baseline", "v3" or "v4"; empty where BNBENCH_ISA forces one that is not to be had.
BNBENCH_EXPORT const char* bnbench_isa() { return bnbench::isa_name(bnbench::chosen_isa()); }
