// Division, remainder and power as Python has them: quotients are rounded down, a remainder has the
// sign of its divisor. Division of integers by 0 gives 0, as in NumPy, and never traps.
//
// A generated program includes this text once. Narrow integers are widened to long or ulong by the
// caller.

#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

__attribute__((overloadable)) long wb_floor_div(long a, long b) {
  // The smallest long divided by -1 would trap on some processors.
  if (b == 0) return 0;
  if (b == -1) return (long)(0 - (ulong)a);
  return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}

__attribute__((overloadable)) ulong wb_floor_div(ulong a, ulong b) {
  return b == 0 ? 0 : a / b;
}

__attribute__((overloadable)) long wb_mod(long a, long b) {
  if (b == 0 || b == -1) return 0;
  const long rest = a % b;
  return rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
}

__attribute__((overloadable)) ulong wb_mod(ulong a, ulong b) { return b == 0 ? 0 : a % b; }

__attribute__((overloadable)) ulong wb_power(ulong base, ulong exponent) {
  ulong result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

__attribute__((overloadable)) long wb_power(long base, long exponent) {
  // A negative power of an integer, truncated to an integer.
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  return (long)wb_power((ulong)base, (ulong)exponent);
}

#define WB_DIVISION(real)                                                                          \
  __attribute__((overloadable)) real wb_mod(real a, real b) {                                      \
    const real rest = fmod(a, b);                                                                  \
    if (rest == 0) return copysign((real)0, b);                                                    \
    return (rest < 0) != (b < 0) ? rest + b : rest;                                                \
  }                                                                                                \
  __attribute__((overloadable)) real wb_floor_div(real a, real b) {                                \
    if (b == 0) return a / b;                                                                      \
    const real rest = fmod(a, b);                                                                  \
    const real below = rest != 0 && (rest < 0) != (b < 0) ? (real)1 : (real)0;                     \
    /* (a - rest) / b is whole but for rounding, which the last step mends. */                     \
    const real quotient = (a - rest) / b - below;                                                  \
    if (quotient == 0) return copysign((real)0, a / b);                                            \
    const real whole = floor(quotient);                                                            \
    return quotient - whole > (real)0.5 ? whole + (real)1 : whole;                                 \
  }

WB_DIVISION(float)
#ifdef cl_khr_fp64
WB_DIVISION(double)
#endif
