#include "CBench.h"

double bench_squares(const int16_t *samples, int frame_samples, int frames) {
    double all = 0;
    for (int frame = 0; frame < frames; frame++) {
        float sum = 0;
        for (int i = 0; i < frame_samples; i++) sum += (float)samples[i] * (float)samples[i];
        samples += frame_samples;
        all += sum;
    }
    return all;
}
