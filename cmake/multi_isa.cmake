# target_isa_sources(TARGET FOLDER folder sources...)
#
# Compiles sources once for each instruction set that the compiler supports on this architecture,
# with BNBENCH_ISA defined as its name (baseline, v3, v4), and adds the objects to a target. Their
# external names must contain it, by BNBENCH_NAME from isa.hpp. They must not use inline functions
# of other headers: the linker would keep one copy of each, for any of the instruction sets. The
# target's other sources select one at run time, by isa.hpp. -march=native is never used, since a
# package also runs on machines other than the one that built it.
#
# bnbench_compile(TARGET FOLDER folder)
#
# Sets the flags of all of the package's C++, and where a library goes: into FOLDER of the package,
# beside the Python that loads it.
#
# BNBENCH_SANITIZE=ON builds with AddressSanitizer and UndefinedBehaviorSanitizer, which end the
# process at their first finding. The libraries then stay in the build folder, where
# test_sanitizers.py looks for them.
include(CheckCXXCompilerFlag)
find_package(OpenMP REQUIRED COMPONENTS CXX)
option(BNBENCH_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(BNBENCH_INCLUDE ${CMAKE_CURRENT_LIST_DIR})
set(BNBENCH_ISAS baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  foreach(isa v3 v4)
    check_cxx_compiler_flag(-march=x86-64-${isa} BNBENCH_COMPILER_KNOWS_${isa})
    if(BNBENCH_COMPILER_KNOWS_${isa})
      list(APPEND BNBENCH_ISAS ${isa})
    endif()
  endforeach()
endif()

function(target_isa_sources target)
  cmake_parse_arguments(PARSE_ARGV 1 given "" "FOLDER" "")
  list(TRANSFORM given_UNPARSED_ARGUMENTS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/${given_FOLDER}/
    OUTPUT_VARIABLE sources)
  foreach(isa IN LISTS BNBENCH_ISAS)
    add_library(${target}_${isa} OBJECT ${sources})
    _bnbench_flags(${target}_${isa})
    target_compile_definitions(${target}_${isa} PRIVATE BNBENCH_ISA=${isa})
    if(NOT isa STREQUAL baseline)
      target_compile_options(${target}_${isa} PRIVATE -march=x86-64-${isa})
      target_compile_definitions(${target} PRIVATE BNBENCH_HAS_${isa})
    endif()
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${isa}>)
  endforeach()
endfunction()

function(bnbench_compile target)
  cmake_parse_arguments(PARSE_ARGV 1 given "" "FOLDER" "")
  _bnbench_flags(${target})
  target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
  if(SKBUILD_STATE STREQUAL "wheel")
    install(TARGETS ${target} LIBRARY DESTINATION ${given_FOLDER})
  elseif(NOT BNBENCH_SANITIZE)
    set_target_properties(${target} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/${given_FOLDER})
  endif()
endfunction()

function(_bnbench_flags target)
  target_compile_features(${target} PRIVATE cxx_std_17)
  target_compile_options(${target} PRIVATE -O3 -Wall -Wextra -Wno-psabi -Wno-maybe-uninitialized
    -fno-exceptions -fno-rtti -ffp-contract=off)
  if(BNBENCH_SANITIZE)
    _bnbench_sanitize(${target})
  endif()
  target_include_directories(${target} PRIVATE ${BNBENCH_INCLUDE})
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# Flags that compile fastest: with them forward_kernels.cpp for v4, its functions inlined, took GCC 12
# 18 s, against 68 s with -O1 -g and all checks; not inlined (simd.hpp) it takes a third of that.
#   -O0             the optimizer takes long over the code that sanitizers add
#   -g1             line numbers for the reports, but no variables
#   threshold=0     address checks as calls, since there is more to compile when they are inlined
#   left out        null and object-size, which find nothing that AddressSanitizer does not, and
#                   pointer-overflow, a quarter of the time for wrapped addresses, which
#                   AddressSanitizer finds when they are used
function(_bnbench_sanitize target)
  target_compile_options(${target} PRIVATE -O0 -g1
    -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-sanitize=null,object-size,pointer-overflow)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE
      "SHELL:--param asan-instrumentation-with-call-threshold=0"
      "SHELL:-include ${BNBENCH_INCLUDE}/asan_intrinsics.hpp")
  endif()
  target_link_options(${target} PRIVATE -fsanitize=address,undefined)
endfunction()
