// Which of the paths that a multi-ISA library was compiled for runs on this machine.
//
// BNBENCH_ISA=baseline|v3|v4 in the environment forces one, so that tests reach all; it is read once.
#pragma once

#include <cstdlib>
#include <cstring>

#define BNBENCH_JOIN_(name, isa) name##_##isa
#define BNBENCH_JOIN(name, isa) BNBENCH_JOIN_(name, isa)
// The name of a function of a source that is compiled once per instruction set: BNBENCH_NAME(walk) is walk_v3 in one of them.
#define BNBENCH_NAME(name) BNBENCH_JOIN(name, BNBENCH_ISA)
#define BNBENCH_EXPORT extern "C" __attribute__((visibility("default")))

// Internal to each source: they differ in what they were compiled with.
namespace bnbench {

enum Isa { none = -1, baseline = 0, v3 = 3, v4 = 4 };

// The features that tell the levels of the x86-64 psABI apart, asked for one by one: compilers differ in which of the
// levels' own names they know.
static inline Isa best_isa() {
#if defined(BNBENCH_HAS_v4)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return v4;
#endif
#if defined(BNBENCH_HAS_v3)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2"))
        return v3;
#endif
    return baseline;
}

// The path to take, or none where one is forced that is not known, not compiled, or not for this machine.
static inline Isa chosen_isa() {
    static const Isa chosen = [] {
        const Isa best = best_isa();
        const char* forced = std::getenv("BNBENCH_ISA");
        if (forced == nullptr || *forced == '\0') return best;
        if (std::strcmp(forced, "baseline") == 0) return baseline;
#if defined(BNBENCH_HAS_v3)
        if (std::strcmp(forced, "v3") == 0 && best >= v3) return v3;
#endif
#if defined(BNBENCH_HAS_v4)
        if (std::strcmp(forced, "v4") == 0 && best >= v4) return v4;
#endif
        return none;
    }();
    return chosen;
}

static inline const char* isa_name(Isa isa) {
    return isa == v4 ? "v4" : isa == v3 ? "v3" : isa == baseline ? "baseline" : "";
}

// The function of that path, of those that were compiled: of name_baseline, name_v3 and name_v4.
#if defined(BNBENCH_HAS_v4)
#define BNBENCH_CHOOSE(name) \
    (bnbench::chosen_isa() == bnbench::v4 ? name##_v4 : bnbench::chosen_isa() == bnbench::v3 ? name##_v3 : name##_baseline)
#elif defined(BNBENCH_HAS_v3)
#define BNBENCH_CHOOSE(name) (bnbench::chosen_isa() == bnbench::v3 ? name##_v3 : name##_baseline)
#else
#define BNBENCH_CHOOSE(name) (name##_baseline)
#endif

}  // namespace bnbench
