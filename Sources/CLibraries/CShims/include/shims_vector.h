// The two inner loops of an adaptive filter, four numbers at a time also in a debug build, where Swift's take a hundred times as long.
#pragma once
#include <stddef.h>

/// The sum of products. `count` is a multiple of 8.
float tandem_dot(const float *a, const float *b, size_t count);
/// Adds `scale` times the products of `a` and `b` to `sum`. `count` is a multiple of 4.
void tandem_add_products(float *sum, const float *a, const float *b, float scale, size_t count);
