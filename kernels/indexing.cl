// Quotient and remainder of index components, rounded down as Python does. C rounds toward 0, so
// that plain / and % serve only where the component is known not to be negative.
//
// A generated program includes this text once. Nothing is computed along an axis without elements,
// whatever the quotient by 0 is.

__attribute__((overloadable)) int wb_index_div(int a, int b) {
  return b == 0 ? 0 : a / b - (a % b != 0 && (a < 0) != (b < 0));
}

__attribute__((overloadable)) long wb_index_div(long a, long b) {
  return b == 0 ? 0 : a / b - (a % b != 0 && (a < 0) != (b < 0));
}

__attribute__((overloadable)) int wb_index_mod(int a, int b) {
  return b == 0 ? 0 : a - b * wb_index_div(a, b);
}

__attribute__((overloadable)) long wb_index_mod(long a, long b) {
  return b == 0 ? 0 : a - b * wb_index_div(a, b);
}
