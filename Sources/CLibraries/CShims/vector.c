#include "shims_vector.h"
#include <string.h>

typedef float four __attribute__((vector_size(16)));

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
