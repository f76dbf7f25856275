// Inner loops of filters, of detectors and of the search for an echo, several numbers at a time also in a debug build, where Swift's
// take a hundred times as long.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The sum of products. `count` is a multiple of 8.
float tandem_dot(const float *a, const float *b, size_t count);
/// Adds `scale` times the products of `a` and `b` to `sum`. `count` is a multiple of 4.
void tandem_add_products(float *sum, const float *a, const float *b, float scale, size_t count);
/// Filters by a response of `taps`, a multiple of 8, and keeps each `step`-th sample: the first of `output` stands for the samples from
/// `samples` on. The response's magnitudes add up to 65535 at most; 1 << 13 is a gain of 1, and what is too loud is limited.
void tandem_decimate(
    const int16_t *samples, size_t step, const int16_t *response, size_t taps, int16_t *output, size_t count);
/// Makes each of the `delays` sums `keep` of what it was and adds `weight` times the product of `near` with `far` that much later.
/// Both counts are multiples, of 8 and 4; no product of stretches as long as `near` is 2^31 or more.
void tandem_correlate(
    float *sums, size_t delays, const int16_t *near, size_t count, const int16_t *far, float keep, float weight);
/// The sum of squares of samples of which none is -32768. `count` is a multiple of 8.
float tandem_energy(const int16_t *samples, size_t count);

/// Runs samples through eight resonators of Goertzel's algorithm. In `state` are the eight newer values, then the eight older ones.
/// Returns the energy of the samples.
float tandem_resonate(float *state, const float *coefficients, const int16_t *samples, size_t count);

/// Parts 40 times `unit` samples into octaves: the sums of `unit` samples each, of two of these and of four. In `energies` come the sums
/// of the squares of the differences between samples, between sums, and between sums of two; in `rest` the ten sums of four.
void tandem_octaves(const int16_t *samples, size_t unit, float *energies, float *rest);
