// Running sums along an axis in two passes: totals of parts, then every part from what stands before
// it. A work-item walks one part of one row.
//
// What rounding loses is carried along (in `rest`), so that a sum of floats is as accurate as one in
// twice as many digits; a sum that is not finite has no rest. Parts are cut the same on every
// device, and so are the bits of the result.
//
// A generated program includes this text once. `item` counts rows, parts and the elements beside
// each other (`inner`) in C order; arrays are (outer, n, inner).

#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define WB_CUMULATE(type, LOST, IS_FINITE)                                                         \
  __attribute__((overloadable)) void wb_carry(type *sum, type *rest, type x) {                     \
    const type total = *sum + x;                                                                   \
    LOST(type)                                                                                     \
    *sum = total;                                                                                  \
  }                                                                                                \
  __attribute__((overloadable)) void wb_part_sums(__global const type *in, __global type *sums,    \
                                                  long item, long n, long inner, long part,        \
                                                  long parts, int reverse) {                       \
    const long row = item / inner / parts, beside = item % inner;                                  \
    const long first = item / inner % parts * part, last = min(first + part, n);                   \
    type sum = 0, rest = 0;                                                                        \
    for (long i = first; i < last; ++i)                                                            \
      wb_carry(&sum, &rest, in[(row * n + (reverse ? n - 1 - i : i)) * inner + beside]);           \
    sums[2 * item] = sum;                                                                          \
    sums[2 * item + 1] = IS_FINITE(sum) ? rest : (type)0;                                          \
  }                                                                                                \
  __attribute__((overloadable)) void wb_running_sums(                                              \
      __global const type *in, __global const type *sums, __global type *out, long item, long n,   \
      long inner, long part, long parts, int reverse) {                                            \
    const long row = item / inner / parts, beside = item % inner;                                  \
    const long which = item / inner % parts;                                                       \
    const long first = which * part, last = min(first + part, n);                                  \
    type sum = 0, rest = 0;                                                                        \
    for (long before = 0; before < which; ++before) {                                              \
      const long other = 2 * ((row * parts + before) * inner + beside);                            \
      wb_carry(&sum, &rest, sums[other]);                                                          \
      wb_carry(&sum, &rest, sums[other + 1]);                                                      \
    }                                                                                              \
    for (long i = first; i < last; ++i) {                                                          \
      const long place = (row * n + (reverse ? n - 1 - i : i)) * inner + beside;                   \
      wb_carry(&sum, &rest, in[place]);                                                            \
      out[place] = IS_FINITE(sum) ? sum + rest : sum;                                              \
    }                                                                                              \
  }

#define WB_ALWAYS(sum) 1
#define WB_NOTHING(type)
// What `sum + x` has lost; both differences are exact.
#define WB_ROUNDING(type)                                                                          \
  const type added = total - *sum;                                                                 \
  *rest += (*sum - (total - added)) + (x - added);

WB_CUMULATE(long, WB_NOTHING, WB_ALWAYS)
WB_CUMULATE(ulong, WB_NOTHING, WB_ALWAYS)
WB_CUMULATE(float, WB_ROUNDING, isfinite)
#ifdef cl_khr_fp64
WB_CUMULATE(double, WB_ROUNDING, isfinite)
#endif
