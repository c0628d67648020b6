// Product of two matrices, (M x K) by (K x N), from packed panels: the family for CPUs.
//
// One work-item does the work of a work-group. It owns PANELS panels of LANES columns and `run`
// rows, copies what it needs next to itself, and multiplies from the copies:
//
//     for each block of DEPTH columns of A:
//       B -> packed_b, panel by panel           [panel][k][lane]     stays in the second cache
//       for each ROWS * ROW_BLOCKS rows:
//         A -> packed_a                         [row][k]             stays in the first
//         for each panel, for each ROWS rows:
//           sums += element of A * vector of B  in registers, k upwards
//           add the blocks before; store
//
// This file is the readable form of the kernel that is generated for each product of a plan: there,
// casts, gathers and transposes stand in the two copies, the epilogue in place of the last store,
// the innermost loop is a function whose accumulators have names, because some compilers keep an
// array of them in memory, whole panels have loops of a known length, and the last rows are computed
// by another such function where as many as these would be too many. With
// the defaults below it is c = a * b for row-major matrices, to the same bits.
//
// Launch with (ceil(N / (PANELS * LANES)), ceil(M / run)) work-groups of one work-item.
//
// Source: K. Goto, R. van de Geijn, Anatomy of high-performance matrix multiplication, 2008.

#ifndef REAL
#define REAL float           // type of the elements: float or double
#endif
#ifndef LANES
#define LANES 16             // numbers in a vector: 16 floats or 8 doubles fill two registers of AVX2
#endif
#ifndef ROWS
#define ROWS 6               // vectors of sums: 6 of them fill 12 of 16 registers
#endif
#ifndef PANELS
#define PANELS 4             // panels that are packed together and share a packed block of A
#endif
#ifndef ROW_BLOCKS
#define ROW_BLOCKS 8         // blocks of ROWS rows that are packed together
#endif
#ifndef DEPTH
#define DEPTH 256            // products that are summed up in registers before they go to memory
#endif

// Derived.
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(REAL, LANES)
#define PACKED_ROWS (ROWS * ROW_BLOCKS)

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void matmul_panels(
    __global const REAL *restrict a, __global const REAL *restrict b, __global REAL *restrict c,
    const int m_size, const int n_size, const int k_size, const int run) {
  __local VECTOR packed_b[PANELS * DEPTH];
  __local REAL packed_a[PACKED_ROWS * DEPTH];
  const int column0 = (int)get_group_id(0) * PANELS * LANES;
  const int row0 = (int)get_group_id(1) * run;
  const int row1 = min(row0 + run, m_size);
  const int panels = min(PANELS, (n_size - column0 + LANES - 1) / LANES);
  const int blocks = max(1, (k_size + DEPTH - 1) / DEPTH);
  const int depth = ((k_size + blocks - 1) / blocks + 7) / 8 * 8;

  for (int block = 0; block < blocks; ++block) {
    const int k0 = block * depth;
    const int k1 = min(k0 + depth, k_size);

    for (int p = 0; p < panels; ++p) {
      const int n0 = column0 + p * LANES;
      const int n1 = min(n0 + LANES, n_size);
      for (int k = k0; k < k1; ++k) {
        __local VECTOR *const row = packed_b + p * DEPTH + k - k0;
        row[0] = 0;
        __local REAL *const to = (__local REAL *)row;
        for (int n = n0; n < n1; ++n) to[n - n0] = b[k * n_size + n];
      }
    }

    for (int m0 = row0; m0 < row1; m0 += PACKED_ROWS) {
      const int m1 = min(m0 + PACKED_ROWS, row1);
      const int whole = (m1 - m0 + ROWS - 1) / ROWS * ROWS;
      for (int i = 0; i < whole; ++i) {
        // Rows that are missing to a whole block repeat the last one; their sums are not stored.
        const int m = min(m0 + i, m1 - 1);
        for (int k = k0; k < k1; ++k) packed_a[i * DEPTH + k - k0] = a[m * k_size + k];
      }

      for (int p = 0; p < panels; ++p) {
        const int n0 = column0 + p * LANES;
        const int n1 = min(n0 + LANES, n_size);
        for (int m2 = m0; m2 < m1; m2 += ROWS) {
          VECTOR sums[ROWS];
          for (int i = 0; i < ROWS; ++i) sums[i] = 0;
          for (int k = 0; k < k1 - k0; ++k) {
            const VECTOR row = packed_b[p * DEPTH + k];
            for (int i = 0; i < ROWS; ++i) sums[i] += packed_a[(m2 - m0 + i) * DEPTH + k] * row;
          }
          const REAL *const flat = (const REAL *)sums;
          for (int m = m2; m < min(m2 + ROWS, m1); ++m)
            for (int n = n0; n < n1; ++n) {
              const REAL sum = flat[(m - m2) * LANES + n - n0];
              c[m * n_size + n] = block ? c[m * n_size + n] + sum : sum;
            }
        }
      }
    }
  }
}
