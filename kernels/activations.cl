// Activations that need more than one expression, for float and, where the device has it, double.
//
// A generated program includes this text once. Each function is overloaded, so that the generated
// expressions need not name the type. NaN goes in and comes out.

#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define WB_ACTIVATIONS(real)                                                                       \
  /* 1 / (1 + exp(-x)); exp never sees a positive number, so that it cannot overflow. */           \
  __attribute__((overloadable)) real wb_sigmoid(real x) {                                          \
    const real small = exp(-fabs(x));                                                              \
    return (x < 0 ? small : (real)1) / ((real)1 + small);                                          \
  }                                                                                                \
  /* log(1 + exp(x)), without overflow and without losing small values. */                         \
  __attribute__((overloadable)) real wb_softplus(real x) {                                         \
    return (x < 0 ? (real)0 : x) + log1p(exp(-fabs(x)));                                           \
  }

WB_ACTIVATIONS(float)
#ifdef cl_khr_fp64
WB_ACTIVATIONS(double)
#endif
