// Product of two matrices, (M x K) by (K x N), in tiles of local memory: the family for GPUs.
//
// A work-group computes TILE_ROWS x TILE_COLUMNS elements of the product, a work-item ROWS x COLUMNS
// of them, GROUP_ROWS and GROUP_COLUMNS apart, so that neighbours store side by side:
//
//          k                 n                      x  x+GROUP_COLUMNS
//      +-------+         +-------+             y  [ s00       s01      ]
//    m | DEPTH |       k | DEPTH |   y+GROUP_ROWS [ s10       s11      ]
//      +-------+         +-------+
//       tile_a            tile_b               sums of one work-item
//
// The sum over k runs upwards in one accumulator an element: its bits do not depend on the tiles.
// The text of a product step replaces the macros; with the defaults below this file is
// c = a * b for row-major matrices.
//
// Source: K. Matsumoto, N. Nakasato, S. Sedukhin, Performance tuning of matrix multiplication in
// OpenCL on different GPUs and CPUs, 2012; C. Nugteren, CLBlast, 2018.

#ifndef REAL
#define REAL float           // type of the elements: float or double
#endif
#ifndef INTEGER
#define INTEGER int          // type of indices: long where there are more than 2^31 elements
#endif
#ifndef ROWS
#define ROWS 4               // rows of the product that a work-item computes (2, 4, 8)
#endif
#ifndef COLUMNS
#define COLUMNS 4            // columns of the product that a work-item computes (2, 4, 8)
#endif
#ifndef GROUP_ROWS
#define GROUP_ROWS 16        // work-items of a group, downwards (8, 16)
#endif
#ifndef GROUP_COLUMNS
#define GROUP_COLUMNS 16     // work-items of a group, across (8, 16, 32)
#endif
#ifndef DEPTH
#define DEPTH 16             // columns of A and rows of B in local memory at a time (8, 16, 32)
#endif
#ifndef A_BY_COLUMN
#define A_BY_COLUMN 0        // 1 where the elements of a column of A lie side by side in memory
#endif
#ifndef B_BY_COLUMN
#define B_BY_COLUMN 0        // 1 where the elements of a column of B lie side by side in memory
#endif
#ifndef KERNEL_NAME
#define KERNEL_NAME matmul_tiles
#define ARGUMENTS                                                                              \
  __global const REAL *restrict a, __global const REAL *restrict b, __global REAL *restrict c, \
      const INTEGER m_size, const INTEGER n_size, const INTEGER k_size
#define PROLOGUE             // statements that come first
#define M_SIZE m_size
#define N_SIZE n_size
#define K_SIZE k_size
#define K_FIRST 0            // the part of the inner axis that is summed up
#define K_LAST K_SIZE
#define LOAD_A(m, k) a[(m) * K_SIZE + (k)]
#define LOAD_B(k, n) b[(k) * N_SIZE + (n)]
#define STORE(m, n, product) c[(m) * N_SIZE + (n)] = product
#endif

// Derived.
#define TILE_ROWS (ROWS * GROUP_ROWS)
#define TILE_COLUMNS (COLUMNS * GROUP_COLUMNS)
#define ITEMS (GROUP_ROWS * GROUP_COLUMNS)

__kernel __attribute__((reqd_work_group_size(GROUP_COLUMNS, GROUP_ROWS, 1)))
void KERNEL_NAME(ARGUMENTS) {
  PROLOGUE
  // One more column keeps the banks apart when a column is written.
  __local REAL tile_a[DEPTH][TILE_ROWS + 1];
  __local REAL tile_b[DEPTH][TILE_COLUMNS + 1];
  const int x = get_local_id(0);
  const int y = get_local_id(1);
  const int item = y * GROUP_COLUMNS + x;
  const INTEGER row0 = (INTEGER)get_group_id(1) * TILE_ROWS;
  const INTEGER column0 = (INTEGER)get_group_id(0) * TILE_COLUMNS;

  REAL sums[ROWS][COLUMNS];
  for (int i = 0; i < ROWS; ++i)
    for (int j = 0; j < COLUMNS; ++j) sums[i][j] = 0;

  const INTEGER k_first = K_FIRST, k_last = K_LAST;
  for (INTEGER k0 = k_first; k0 < k_last; k0 += DEPTH) {
    for (int i = item; i < DEPTH * TILE_ROWS; i += ITEMS) {
      const int kk = A_BY_COLUMN ? i / TILE_ROWS : i % DEPTH;
      const int mm = A_BY_COLUMN ? i % TILE_ROWS : i / DEPTH;
      const INTEGER m = row0 + mm, k = k0 + kk;
      REAL element = 0;
      if (m < M_SIZE && k < k_last) element = LOAD_A(m, k);
      tile_a[kk][mm] = element;
    }
    for (int i = item; i < DEPTH * TILE_COLUMNS; i += ITEMS) {
      const int kk = B_BY_COLUMN ? i % DEPTH : i / TILE_COLUMNS;
      const int nn = B_BY_COLUMN ? i / DEPTH : i % TILE_COLUMNS;
      const INTEGER k = k0 + kk, n = column0 + nn;
      REAL element = 0;
      if (k < k_last && n < N_SIZE) element = LOAD_B(k, n);
      tile_b[kk][nn] = element;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int kk = 0; kk < DEPTH; ++kk) {
      REAL column[COLUMNS];
      for (int j = 0; j < COLUMNS; ++j) column[j] = tile_b[kk][x + j * GROUP_COLUMNS];
      for (int i = 0; i < ROWS; ++i) {
        const REAL element = tile_a[kk][y + i * GROUP_ROWS];
        for (int j = 0; j < COLUMNS; ++j) sums[i][j] += element * column[j];
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  for (int i = 0; i < ROWS; ++i) {
    const INTEGER m = row0 + y + i * GROUP_ROWS;
    for (int j = 0; j < COLUMNS; ++j) {
      const INTEGER n = column0 + x + j * GROUP_COLUMNS;
      if (m < M_SIZE && n < N_SIZE) STORE(m, n, sums[i][j]);
    }
  }
}
