// What a C programmer would write: gcc -O3 -march=native -ffp-contract=off -shared -fPIC peers.c -o peers.so
#include <stdint.h>

void julia(int w, int h, double x0, double x1, double y0, double y1, double cr, double ci, int n0, uint16_t *out) {
    double dx = (x1 - x0) / w, dy = (y1 - y0) / h;
    for (int k = 0; k < h; k++)
        for (int j = 0; j < w; j++) {
            double x = x0 + j * dx, y = y1 - k * dy;
            int n = n0;
            while (n > 1) {
                double a = x * x, b = y * y;
                if (!(a + b < 9.0)) break;
                double xy = x * y;
                y = (xy + xy) + ci;
                x = (a - b) + cr;
                n--;
            }
            out[(long)k * w + j] = n;
        }
}

static inline uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// xoshiro256++ of Blackman and Vigna, two doubles a dart.
uint64_t pi_hits(uint64_t darts) {
    uint64_t s[4] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 7}, hits = 0;
    for (uint64_t i = 0; i < darts; i++) {
        double p[2];
        for (int c = 0; c < 2; c++) {
            uint64_t r = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
            s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotl(s[3], 45);
            p[c] = (double)(r >> 11) * 0x1p-52 - 1.0;
        }
        hits += p[0] * p[0] + p[1] * p[1] < 1.0;
    }
    return hits;
}
