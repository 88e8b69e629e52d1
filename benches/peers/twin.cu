// What the GPU kernels are measured against: the same arithmetic in CUDA, one rounding an operation, written for speed.
//
// Build: nvcc -O3 -fmad=false -arch=native -cudart static -o twin twin.cu. Prints a line a measurement, fields parted by
// tabs: `julia PICTURE f32|f64 VARIANT ITERATIONS PIXELS KERNEL_S PIPED_S`, the medians of some runs, where PIPED_S has the
// copies to pinned memory, 16 MiB each on two streams; `pi GENERATOR DARTS HITS S`. Variants: `tested` tests after each
// iteration, `blocks of K` tests after K and goes back to the block's start where an orbit has left.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <curand_kernel.h>
#include <vector>

#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        cudaError_t error = (call);                                                                                    \
        if (error != cudaSuccess) {                                                                                    \
            fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(error));                                             \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

__device__ inline float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
__device__ inline double fused(double a, double b, double c) { return __fma_rn(a, b, c); }

template <class T> struct Params {
    T c_re, c_im, radius2;
    uint32_t max_iter, width;
    const T *columns, *rows;
};

template <class T> __device__ inline void advance(const Params<T> &p, T &x, T &y) {
    T a = x * x, b = y * y, xy = x * y;
    x = (a - b) + p.c_re;
    y = fused(xy, (T)2, p.c_im);
}

// K = 0: a test an iteration, asked for every fourth time. Else blocks of K; an orbit that has escaped stays escaped.
template <class T, int K> __device__ inline uint32_t count(const Params<T> &p, T x, T y) {
    uint32_t n = p.max_iter;
    bool alive = true;
    if (K == 0) {
        while (alive && n > 4) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                alive = alive && (x * x + y * y < p.radius2);
                advance(p, x, y);
                n -= alive ? 1u : 0u;
            }
        }
    } else {
        while (n > K) {
            T from_x = x, from_y = y;
#pragma unroll
            for (int i = 0; i < K; i++) advance(p, x, y);
            if (!(x * x + y * y < p.radius2)) {
                x = from_x;
                y = from_y;
                break;
            }
            n -= K;
        }
    }
    while (alive && n > 1) {
        if (!(x * x + y * y < p.radius2)) break;
        advance(p, x, y);
        n--;
    }
    return n;
}

template <class T, class O, int K> __global__ void julia(Params<T> p, O *out, uint64_t first, uint64_t pixels) {
    uint64_t i = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= pixels) return;
    uint64_t at = first + i;
    out[i] = (O)count<T, K>(p, p.columns[at % p.width], p.rows[at / p.width]);
}

struct Picture {
    const char *name;
    uint32_t width, height;
    double x0, x1, y0, y1, c_re, c_im;
    uint32_t max_iter;
};

static double median(std::vector<double> seconds) {
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
}

template <class T, class O, int K> void measure(const Picture &picture) {
    const int BLOCK = 128;
    uint64_t pixels = (uint64_t)picture.width * picture.height;
    std::vector<T> columns(picture.width), rows(picture.height);
    double dx = (picture.x1 - picture.x0) / picture.width, dy = (picture.y1 - picture.y0) / picture.height;
    for (uint32_t j = 0; j < picture.width; j++) columns[j] = (T)(picture.x0 + j * dx);
    for (uint32_t k = 0; k < picture.height; k++) rows[k] = (T)(picture.y1 - k * dy);
    Params<T> p{(T)picture.c_re, (T)picture.c_im, (T)9, picture.max_iter, picture.width, nullptr, nullptr};
    T *on_columns, *on_rows;
    O *out, *host;
    CHECK(cudaMalloc(&on_columns, columns.size() * sizeof(T)));
    CHECK(cudaMalloc(&on_rows, rows.size() * sizeof(T)));
    CHECK(cudaMalloc(&out, pixels * sizeof(O)));
    CHECK(cudaMallocHost(&host, pixels * sizeof(O)));
    CHECK(cudaMemcpy(on_columns, columns.data(), columns.size() * sizeof(T), cudaMemcpyHostToDevice));
    CHECK(cudaMemcpy(on_rows, rows.data(), rows.size() * sizeof(T), cudaMemcpyHostToDevice));
    p.columns = on_columns;
    p.rows = on_rows;
    cudaEvent_t begin, end;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    auto seconds_since_begin = [&] {
        cudaEventRecord(end);
        CHECK(cudaEventSynchronize(end));
        float milliseconds;
        cudaEventElapsedTime(&milliseconds, begin, end);
        return milliseconds * 1e-3;
    };
    std::vector<double> kernel, piped;
    for (int run = 0; run < 6; run++) {
        cudaEventRecord(begin);
        julia<T, O, K><<<(unsigned)((pixels + BLOCK - 1) / BLOCK), BLOCK>>>(p, out, 0, pixels);
        double seconds = seconds_since_begin();
        if (run) kernel.push_back(seconds);
    }
    cudaStream_t streams[2];
    for (auto &stream : streams) cudaStreamCreate(&stream);
    uint64_t batch = (16u << 20) / sizeof(O);
    for (int run = 0; run < 6; run++) {
        CHECK(cudaDeviceSynchronize());
        cudaEventRecord(begin);
        cudaEventSynchronize(begin);
        int which = 0;
        for (uint64_t first = 0; first < pixels; first += batch, which ^= 1) {
            uint64_t n = std::min(batch, pixels - first);
            auto stream = streams[which];
            julia<T, O, K><<<(unsigned)((n + BLOCK - 1) / BLOCK), BLOCK, 0, stream>>>(p, out + first, first, n);
            cudaMemcpyAsync(host + first, out + first, n * sizeof(O), cudaMemcpyDeviceToHost, stream);
        }
        for (auto &stream : streams) cudaStreamSynchronize(stream);
        double seconds = seconds_since_begin();
        if (run) piped.push_back(seconds);
    }
    uint64_t left = 0;
    for (uint64_t i = 0; i < pixels; i++) left += host[i];
    char variant[24];
    snprintf(variant, sizeof variant, K == 0 ? "tested" : "blocks of %d", K);
    printf("julia\t%s\t%s\t%s\t%llu\t%llu\t%.7f\t%.7f\n", picture.name, sizeof(T) == 4 ? "f32" : "f64", variant,
           (unsigned long long)(pixels * picture.max_iter - left), (unsigned long long)pixels, median(kernel),
           median(piped));
    fflush(stdout);
    for (auto &stream : streams) cudaStreamDestroy(stream);
    cudaFree(on_columns);
    cudaFree(on_rows);
    cudaFree(out);
    cudaFreeHost(host);
}

__device__ inline uint32_t rotate(uint32_t x, int by) { return __funnelshift_l(x, x, by); }

// Threefry-4x32 with 13 rounds.
__device__ inline void threefry(uint32_t x[4], const uint32_t key[5]) {
    const int R[8][2] = {{10, 26}, {11, 21}, {13, 27}, {23, 5}, {6, 20}, {17, 11}, {25, 10}, {18, 20}};
    for (int i = 0; i < 4; i++) x[i] += key[i];
#pragma unroll
    for (int r = 0; r < 13; r++) {
        int a = R[r % 8][0], b = R[r % 8][1];
        int first = r % 2 ? 3 : 1, second = r % 2 ? 1 : 3;
        x[0] += x[first];
        x[first] = rotate(x[first], a) ^ x[0];
        x[2] += x[second];
        x[second] = rotate(x[second], b) ^ x[2];
        if (r % 4 == 3) {
            int s = r / 4 + 1;
            for (int i = 0; i < 4; i++) x[i] += key[(s + i) % 5];
            x[3] += s;
        }
    }
}

__device__ inline uint32_t is_hit(uint32_t x, uint32_t y) {
    int64_t a = (int64_t)(int32_t)x * (int32_t)x, b = (int64_t)(int32_t)y * (int32_t)y;
    return (uint64_t)a + (uint64_t)b < (1ull << 62);
}

// Two darts by the upper halves of their coordinates, exactly where that leaves a doubt.
__device__ inline uint32_t hits(const uint32_t x[4]) {
    const uint32_t RADIUS2 = 1u << 30, DOUBT = 92690u;
    int ax = (int)x[0] >> 16, ay = (int)x[1] >> 16, bx = (int)x[2] >> 16, by = (int)x[3] >> 16;
    uint32_t first = (uint32_t)(ax * ax) + (uint32_t)(ay * ay), second = (uint32_t)(bx * bx) + (uint32_t)(by * by);
    if (min(first - (RADIUS2 - DOUBT), second - (RADIUS2 - DOUBT)) < 2 * DOUBT)
        return is_hit(x[0], x[1]) + is_hit(x[2], x[3]);
    return (first < RADIUS2) + (second < RADIUS2);
}

struct Key {
    uint32_t word[5];
};

__device__ inline void add_up(unsigned long long *out, uint32_t hits) {
    for (int by = 16; by; by >>= 1) hits += __shfl_down_sync(~0u, hits, by);
    if ((threadIdx.x & 31) == 0) atomicAdd(out, (unsigned long long)hits);
}

__global__ void by_threefry(unsigned long long *out, uint64_t blocks, Key key) {
    uint64_t stride = (uint64_t)gridDim.x * blockDim.x;
    uint32_t sum = 0;
    for (uint64_t b = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x; b < blocks; b += stride) {
        uint32_t x[4] = {(uint32_t)b, (uint32_t)(b >> 32), 0, 0};
        threefry(x, key.word);
        sum += hits(x);
    }
    add_up(out, sum);
}

__global__ void by_philox(unsigned long long *out, uint64_t darts, uint64_t seed) {
    uint64_t thread = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x, stride = (uint64_t)gridDim.x * blockDim.x;
    curandStatePhilox4_32_10_t state;
    curand_init(seed, thread, 0, &state);
    uint32_t sum = 0;
    for (uint64_t i = thread; i < darts / 2; i += stride) {
        float4 u = curand_uniform4(&state);
        sum += (u.x * u.x + u.y * u.y <= 1.f) + (u.z * u.z + u.w * u.w <= 1.f);
    }
    add_up(out, sum);
}

template <class Launch> void measure_pi(const char *generator, uint64_t darts, Launch launch) {
    unsigned long long *out, hits;
    CHECK(cudaMalloc(&out, sizeof *out));
    cudaEvent_t begin, end;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    std::vector<double> seconds;
    for (int run = 0; run < 4; run++) {
        cudaMemset(out, 0, sizeof *out);
        cudaEventRecord(begin);
        launch(out);
        cudaEventRecord(end);
        CHECK(cudaEventSynchronize(end));
        float milliseconds;
        cudaEventElapsedTime(&milliseconds, begin, end);
        if (run) seconds.push_back(milliseconds * 1e-3);
    }
    CHECK(cudaMemcpy(&hits, out, sizeof hits, cudaMemcpyDeviceToHost));
    printf("pi\t%s\t%llu\t%llu\t%.7f\n", generator, (unsigned long long)darts, hits, median(seconds));
    cudaFree(out);
}

int main() {
    cudaDeviceProp device;
    CHECK(cudaGetDeviceProperties(&device, 0));
    fprintf(stderr, "%s, %d SMs\n", device.name, device.multiProcessorCount);
    const Picture picture{"tutorial", 20480, 15360, -2, 2, -1.5, 1.5, 0, 0.65, 255};
    const Picture endless{"long", 16384, 10240, -1.6, 1.6, -1, 1, -0.8, 0.156, 2001};
    // In a Siegel disc, where orbits neither escape nor repeat.
    const Picture inside{"inside", 8192, 8192, -.4687, -.2687, -.4377, -.2377, -.390540870218399, -.586787907346969, 2001};
    measure<float, uint8_t, 0>(picture);
    measure<float, uint8_t, 8>(picture);
    measure<double, uint8_t, 0>(picture);
    measure<double, uint8_t, 8>(picture);
    measure<float, uint16_t, 8>(endless);
    measure<float, uint16_t, 16>(endless);
    measure<float, uint16_t, 32>(endless);
    measure<double, uint16_t, 8>(endless);
    measure<double, uint16_t, 16>(endless);
    measure<double, uint16_t, 32>(endless);
    measure<float, uint16_t, 32>(inside);
    measure<double, uint16_t, 32>(inside);
    const uint64_t DARTS = 1ull << 37;
    const uint32_t seed = 7, a = 0x68796272u, b = 0x69647069u;
    const Key key{{seed, 0, a, b, 0x1BD11BDAu ^ seed ^ a ^ b}};
    const int grid = device.multiProcessorCount * 16;
    measure_pi("threefry", DARTS, [&](auto *out) { by_threefry<<<grid, 256>>>(out, DARTS / 2, key); });
    measure_pi("cuRAND philox", DARTS, [&](auto *out) { by_philox<<<grid, 256>>>(out, DARTS, seed); });
}
