// Philox4x64-10 of Random123, in the form that every processor has.
//
// Random123 looks for an instruction or a function of the compiler that multiplies two 64-bit numbers, and finds them
// on some processors only. A compiler's 128-bit integers do the same wherever it has them, and C does everywhere.
#pragma once

#if defined(__SIZEOF_INT128__)
#define R123_USE_MULHILO64_MULHI_INTRIN 0
#define R123_USE_GNU_UINT128 1
#else
#define R123_USE_MULHILO64_C99 1
#endif

// Its header is C with casts of the old kind.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <Random123/philox.h>
#pragma GCC diagnostic pop
