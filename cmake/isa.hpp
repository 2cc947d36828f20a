// Runtime dispatch of a library that is compiled for several instruction sets.
//
// BNBENCH_ISA=baseline|v3|v4 in the environment forces one of them, so that tests reach all. It is
// read once per process.
#pragma once

#include <cstdlib>
#include <cstring>

#define BNBENCH_JOIN_(name, isa) name##_##isa
#define BNBENCH_JOIN(name, isa) BNBENCH_JOIN_(name, isa)
// The name of a function in a source that is compiled once per instruction set: BNBENCH_NAME(move)
// is move_v3 in the build for v3.
#define BNBENCH_NAME(name) BNBENCH_JOIN(name, BNBENCH_ISA)
#define BNBENCH_EXPORT extern "C" __attribute__((visibility("default")))

// Everything here has internal linkage, since each source is compiled with other flags.
namespace bnbench {

enum Isa { none = -1, baseline = 0, v3 = 3, v4 = 4 };

// The best instruction set that both the build and this CPU have. CPU features are asked for one by
// one, because compilers differ in which names of x86-64 psABI levels they accept.
static inline Isa best_isa() {
#if defined(BNBENCH_HAS_v4)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return v4;
#endif
#if defined(BNBENCH_HAS_v3)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        return v3;
#endif
    return baseline;
}

// The instruction set to use; none if BNBENCH_ISA forces one that is unknown, not compiled, or not
// supported by this CPU.
static inline Isa selected_isa() {
    static const Isa selected = [] {
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
    return selected;
}

static inline const char* isa_name(Isa isa) {
    return isa == v4 ? "v4" : isa == v3 ? "v3" : isa == baseline ? "baseline" : "";
}

// The variant of a function for the selected instruction set: name_baseline, name_v3 or name_v4.
#if defined(BNBENCH_HAS_v4)
#define BNBENCH_SELECT(name)                              \
    (bnbench::selected_isa() == bnbench::v4   ? name##_v4 \
     : bnbench::selected_isa() == bnbench::v3 ? name##_v3 \
                                              : name##_baseline)
#elif defined(BNBENCH_HAS_v3)
#define BNBENCH_SELECT(name) (bnbench::selected_isa() == bnbench::v3 ? name##_v3 : name##_baseline)
#else
#define BNBENCH_SELECT(name) (name##_baseline)
#endif

}  // namespace bnbench
