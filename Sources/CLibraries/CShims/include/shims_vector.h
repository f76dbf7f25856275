// Inner loops of filters, four numbers at a time also in a debug build, where Swift's take a hundred times as long.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The sum of products. `count` is a multiple of 8.
float tandem_dot(const float *a, const float *b, size_t count);
/// Adds `scale` times the products of `a` and `b` to `sum`. `count` is a multiple of 4.
void tandem_add_products(float *sum, const float *a, const float *b, float scale, size_t count);

/// Runs samples through eight resonators of Goertzel's algorithm. In `state` are the eight newer values, then the eight older ones.
/// Returns the energy of the samples.
float tandem_resonate(float *state, const float *coefficients, const int16_t *samples, size_t count);

/// Parts 40 times `unit` samples into octaves: the sums of `unit` samples each, of two of these and of four. In `energies` come the sums
/// of the squares of the differences between samples, between sums, and between sums of two; in `rest` the ten sums of four.
void tandem_octaves(const int16_t *samples, size_t unit, float *energies, float *rest);
