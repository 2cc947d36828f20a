// The library's C interface: passes over memory regions, divided among OpenMP threads, with the
// instruction set selected at run time.
#include "move_kernel.hpp"

#include <omp.h>
#include <isa.hpp>

namespace {

// Below this many bytes, waking other threads takes longer than they save: about 1.5 µs, in which
// one core moves as much within its own cache (measured on two EPYC cores, with threads that spin
// while they wait).
constexpr std::size_t SINGLE_THREAD_BYTES = 128 * 1024;

std::size_t total_bytes(const Pass* passes, int count) {
    std::size_t bytes = 0;
    for (int index = 0; index < count; ++index) {
        for (int read = 0; read < passes[index].read_count; ++read)
            bytes += passes[index].reads[read].bytes;
        for (int write = 0; write < passes[index].write_count; ++write)
            bytes += passes[index].writes[write].bytes;
    }
    return bytes;
}

// There is no barrier between passes, since none depends on what other threads did in the one
// before.
std::uint64_t move_all(const Pass* passes, int count, ThreadId id, bool streaming) {
    Move* const move = BNBENCH_SELECT(move);
    std::uint64_t sum = 0;
    for (int index = 0; index < count; ++index) sum += move(passes[index], id, streaming);
    return sum;
}

}  // namespace

// Moves every byte of `count` passes once. Returns the sum that Move does, so that no compiler may
// drop the reads. Needs a valid instruction set: see bnbench_isa.
BNBENCH_EXPORT std::uint64_t bnbench_move(const Pass* passes, int count, int streaming) {
    if (omp_get_max_threads() == 1 || total_bytes(passes, count) < SINGLE_THREAD_BYTES)
        return move_all(passes, count, {0, 1}, streaming != 0);
    std::uint64_t sum = 0;
#pragma omp parallel reduction(+ : sum)
    sum += move_all(passes, count, {omp_get_thread_num(), omp_get_num_threads()}, streaming != 0);
    return sum;
}

BNBENCH_EXPORT int bnbench_threads() { return omp_get_max_threads(); }

// "baseline", "v3" or "v4"; empty if BNBENCH_ISA forces one that is not available.
BNBENCH_EXPORT const char* bnbench_isa() { return bnbench::isa_name(bnbench::selected_isa()); }
