// Random numbers that follow from where they stand: Philox-4x32 with ten rounds enciphers a counter,
// made of the draw's step and the element's index, under the stream's key. Equal arguments give
// equal numbers on every device; there is no state.
//
// A generated program includes this text once. Single words rather than vectors, so that compilers
// for CPUs turn a loop over elements into vector instructions.
// Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).

#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

// One round on the words a, b, c, d.
#define WB_ROUND(a, b, c, d, k0, k1)                                                               \
  {                                                                                                \
    const ulong first = (ulong)(a) * 0xD2511F53u, second = (ulong)(c) * 0xCD9E8D57u;               \
    a = (uint)(second >> 32) ^ b ^ (k0);                                                           \
    b = (uint)second;                                                                              \
    c = (uint)(first >> 32) ^ d ^ (k1);                                                            \
    d = (uint)first;                                                                               \
    k0 += 0x9E3779B9u;                                                                             \
    k1 += 0xBB67AE85u;                                                                             \
  }

#define WB_FIVE(a, b, c, d, k0, k1)                                                                \
  WB_ROUND(a, b, c, d, k0, k1) WB_ROUND(a, b, c, d, k0, k1) WB_ROUND(a, b, c, d, k0, k1)           \
  WB_ROUND(a, b, c, d, k0, k1) WB_ROUND(a, b, c, d, k0, k1)

// Enciphers the words in place. Written out, because compilers make vector instructions only of
// the innermost loop, which has to be the one over elements.
#define WB_PHILOX(a, b, c, d, key)                                                                 \
  {                                                                                                \
    uint k0 = (uint)(key), k1 = (uint)((key) >> 32);                                               \
    WB_FIVE(a, b, c, d, k0, k1)                                                                    \
    WB_FIVE(a, b, c, d, k0, k1)                                                                    \
  }

#define WB_WORDS(index, key, step)                                                                 \
  uint a = (uint)(index), b = (uint)((index) >> 32), c = (uint)(step), d = (uint)((step) >> 32);   \
  WB_PHILOX(a, b, c, d, key)

// From 0 to below 1, every multiple of 2^-24 alike.
float wb_uniform_float(ulong index, ulong key, ulong step) {
  WB_WORDS(index, key, step)
  return (float)(int)(a >> 8) * 0x1p-24f;
}

// By Box and Muller; the radius is at most 6.7.
float wb_normal_float(ulong index, ulong key, ulong step) {
  WB_WORDS(index, key, step)
  const float radius = sqrt(-2 * log((float)a * 0x1p-32f + 0x1p-33f));
  return radius * cospi((float)(int)(b >> 8) * 0x1p-23f);
}

#ifdef cl_khr_fp64
// 53 bits of two words as a whole number.
#define WB_53_BITS(high, low) ((double)(int)((high) >> 5) * 0x1p26 + (double)(int)((low) >> 6))

// From 0 to below 1, every multiple of 2^-53 alike.
double wb_uniform_double(ulong index, ulong key, ulong step) {
  WB_WORDS(index, key, step)
  return WB_53_BITS(a, b) * 0x1p-53;
}

double wb_normal_double(ulong index, ulong key, ulong step) {
  WB_WORDS(index, key, step)
  const double radius = sqrt(-2 * log((WB_53_BITS(a, b) + 1) * 0x1p-53));
  return radius * cospi(WB_53_BITS(c, d) * 0x1p-52);
}
#endif

// What stands at `position` when the numbers below n are shuffled; each `row` is another shuffle.
//
// Halves of the number's bits are enciphered by each other in turn (a Feistel network), which maps
// numbers of so many bits one to one; one that is not below n goes through again. The last bit of
// all decides whether 0 and 1 change places, because the network alone makes even permutations.
long wb_shuffled(long position, long row, long n, ulong key, ulong step) {
  int bits = 2;
  while ((1L << bits) < n) ++bits;
  const int low_bits = bits / 2;
  const uint low_mask = (1u << low_bits) - 1, high_mask = (uint)((1UL << (bits - low_bits)) - 1);
  ulong x = (ulong)position;
  do {
    uint high = (uint)(x >> low_bits), low = (uint)x & low_mask;
    for (uint turn = 0; turn < 12; ++turn) {
      uint a = turn % 2 ? high : low, b = (uint)row, c = (uint)step;
      uint d = (uint)(step >> 32) ^ (turn << 24);
      WB_PHILOX(a, b, c, d, key)
      if (turn % 2) low ^= a & low_mask; else high ^= a & high_mask;
    }
    x = (ulong)high << low_bits | low;
    uint a = 0, b = (uint)row, c = (uint)step, d = (uint)(step >> 32) ^ (12u << 24);
    WB_PHILOX(a, b, c, d, key)
    if (x < 2) x ^= a & 1;
  } while (x >= (ulong)n);
  return (long)x;
}
