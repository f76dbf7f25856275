#include "shims_vector.h"
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef float four __attribute__((vector_size(16)));

typedef int32_t four_words __attribute__((vector_size(16)));
typedef uint32_t four_unsigned __attribute__((vector_size(16)));

static inline four load(const float *from) {
    four value;
    memcpy(&value, from, sizeof value);
    return value;
}

float tandem_dot(const float *a, const float *b, size_t count) {
    four even = {0}, odd = {0};
    for (size_t index = 0; index < count; index += 8) {
        even += load(a + index) * load(b + index);
        odd += load(a + index + 4) * load(b + index + 4);
    }
    even += odd;
    return (even[0] + even[1]) + (even[2] + even[3]);
}

void tandem_add_products(float *sum, const float *a, const float *b, float scale, size_t count) {
    const four scales = {scale, scale, scale, scale};
    for (size_t index = 0; index < count; index += 4) {
        const four value = load(sum + index) + scales * load(a + index) * load(b + index);
        memcpy(sum + index, &value, sizeof value);
    }
}

float tandem_resonate(float *state, const float *coefficients, const int16_t *samples, size_t count) {
    const four low = load(coefficients), high = load(coefficients + 4);
    four low_newer = load(state), high_newer = load(state + 4), low_older = load(state + 8), high_older = load(state + 12);
    float energy = 0;
    for (size_t index = 0; index < count; index++) {
        const float value = samples[index];
        const four sample = {value, value, value, value};
        const four low_next = low * low_newer + (sample - low_older), high_next = high * high_newer + (sample - high_older);
        energy += value * value;
        low_older = low_newer;
        high_older = high_newer;
        low_newer = low_next;
        high_newer = high_next;
    }
    memcpy(state, &low_newer, sizeof low_newer);
    memcpy(state + 4, &high_newer, sizeof high_newer);
    memcpy(state + 8, &low_older, sizeof low_older);
    memcpy(state + 12, &high_older, sizeof high_older);
    return energy;
}

enum { octave_sums = 40 };

/// Sums of two samples each. Returns the squares of their differences.
static float add_pairs(const int16_t *samples, float *sums) {
    four squares = {0};
    for (size_t index = 0; index < octave_sums; index += 4) {
        // Both samples of a pair in one word, the first in its lower half.
        four_words words;
        memcpy(&words, samples + 2 * index, sizeof words);
        const four_words first = (four_words)((four_unsigned)words << 16) >> 16, second = words >> 16;
        const four difference = __builtin_convertvector(first - second, four), sum = __builtin_convertvector(first + second, four);
        squares += difference * difference;
        memcpy(sums + index, &sum, sizeof sum);
    }
    return (squares[0] + squares[1]) + (squares[2] + squares[3]);
}

/// The same for sums of any number of samples: the squares of all differences between two samples of one sum.
static float add_units(const int16_t *samples, size_t unit, float *sums) {
    int64_t squares = 0;
    for (size_t index = 0; index < octave_sums; index++) {
        int64_t sum = 0, energy = 0;
        for (size_t place = 0; place < unit; place++) {
            const int64_t sample = samples[index * unit + place];
            sum += sample;
            energy += sample * sample;
        }
        squares += energy * (int64_t)unit - sum * sum;
        sums[index] = (float)sum;
    }
    return (float)squares;
}

void tandem_octaves(const int16_t *samples, size_t unit, float *energies, float *rest) {
    float sums[octave_sums];
    four second = {0};
    float third = 0;
    energies[0] = unit == 2 ? add_pairs(samples, sums) : add_units(samples, unit, sums);
    for (size_t index = 0; index < octave_sums; index += 8) {
        const four a = load(sums + index), b = load(sums + index + 4);
        const four even = {a[0], a[2], b[0], b[2]}, odd = {a[1], a[3], b[1], b[3]};
        const four slow = even + odd, difference = even - odd;
        second += difference * difference;
        third += (slow[0] - slow[1]) * (slow[0] - slow[1]) + (slow[2] - slow[3]) * (slow[2] - slow[3]);
        rest[index / 4] = slow[0] + slow[1];
        rest[index / 4 + 1] = slow[2] + slow[3];
    }
    energies[1] = (second[0] + second[1]) + (second[2] + second[3]);
    energies[2] = third;
}

/// The products of `fixed` with what begins at `moving` and one, two and three steps behind.
static inline four_words four_products(const int16_t *moving, size_t step, const int16_t *fixed, size_t count) {
#ifdef __SSE2__
    __m128i first = _mm_setzero_si128(), second = first, third = first, fourth = first;
    for (size_t index = 0; index < count; index += 8) {
        const __m128i by = _mm_loadu_si128((const __m128i *)(fixed + index));
        const int16_t *at = moving + index;
        first = _mm_add_epi32(first, _mm_madd_epi16(by, _mm_loadu_si128((const __m128i *)at)));
        second = _mm_add_epi32(second, _mm_madd_epi16(by, _mm_loadu_si128((const __m128i *)(at + step))));
        third = _mm_add_epi32(third, _mm_madd_epi16(by, _mm_loadu_si128((const __m128i *)(at + 2 * step))));
        fourth = _mm_add_epi32(fourth, _mm_madd_epi16(by, _mm_loadu_si128((const __m128i *)(at + 3 * step))));
    }
    const __m128i low = _mm_add_epi32(_mm_unpacklo_epi32(first, second), _mm_unpackhi_epi32(first, second));
    const __m128i high = _mm_add_epi32(_mm_unpacklo_epi32(third, fourth), _mm_unpackhi_epi32(third, fourth));
    return (four_words)_mm_add_epi32(_mm_unpacklo_epi64(low, high), _mm_unpackhi_epi64(low, high));
#else
    four_words sums = {0};
    for (size_t each = 0; each < 4; each++)
        for (size_t index = 0; index < count; index++)
            sums[each] += (int32_t)moving[each * step + index] * fixed[index];
    return sums;
#endif
}

static inline int16_t limited(int32_t sum) {
    const int32_t value = (sum + (1 << 12)) >> 13;
    return (int16_t)(value > 32767 ? 32767 : value < -32767 ? -32767 : value);
}

void tandem_decimate(
    const int16_t *samples, size_t step, const int16_t *response, size_t taps, int16_t *output, size_t count) {
    size_t index = 0;
    for (; index + 4 <= count; index += 4) {
        const four_words sums = four_products(samples + index * step, step, response, taps);
        for (size_t each = 0; each < 4; each++) output[index + each] = limited(sums[each]);
    }
    // Of the rest one at a time: no step further, for nothing may be there.
    for (; index < count; index++) output[index] = limited(four_products(samples + index * step, 0, response, taps)[0]);
}

static inline void correlate(
    float *sums, size_t delays, const int16_t *near, size_t count, const int16_t *far, float keep, float weight) {
    const four keeps = {keep, keep, keep, keep}, weights = {weight, weight, weight, weight};
    for (size_t delay = 0; delay < delays; delay += 4) {
        const four_words products = four_products(far + delay, 1, near, count);
        const four value = keeps * load(sums + delay) + weights * __builtin_convertvector(products, four);
        memcpy(sums + delay, &value, sizeof value);
    }
}

void tandem_correlate(
    float *sums, size_t delays, const int16_t *near, size_t count, const int16_t *far, float keep, float weight) {
    // Its one caller's, of which the compiler keeps `near` in registers.
    if (count == 40)
        correlate(sums, delays, near, 40, far, keep, weight);
    else
        correlate(sums, delays, near, count, far, keep, weight);
}

float tandem_energy(const int16_t *samples, size_t count) {
#ifdef __SSE2__
    __m128 sums = _mm_setzero_ps();
    for (size_t index = 0; index < count; index += 8) {
        const __m128i eight = _mm_loadu_si128((const __m128i *)(samples + index));
        sums = _mm_add_ps(sums, _mm_cvtepi32_ps(_mm_madd_epi16(eight, eight)));
    }
    const four four_sums = (four)sums;
    return (four_sums[0] + four_sums[1]) + (four_sums[2] + four_sums[3]);
#else
    float sum = 0;
    for (size_t index = 0; index < count; index++) sum += (float)(samples[index] * samples[index]);
    return sum;
#endif
}
