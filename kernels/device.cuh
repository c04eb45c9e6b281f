/* device.cuh - THE SEAM: what kernels and their launches may use of a device, and nothing else.
 *
 * Under nvcc these are CUDA's own; everything else compiles the same kernels as plain C++ against an emulator
 * (tests/simt/simt.h), which runs the threads of a cluster as fibers. Rules that keep both possible: one params struct
 * by value and one Shared struct a kernel; threads in one dimension and in whole warps; threads that meet do so in one
 * place of the source, none of them having returned; in a shuffle, ballot or reduction all 32 lanes take part, and it
 * orders no memory; launches and copies only through the functions at the end. */
#ifndef WEIR_KERNELS_DEVICE_CUH
#define WEIR_KERNELS_DEVICE_CUH

#include <stddef.h>
#include <stdint.h>

enum { WARP = 32 };

/* 16 bytes that move as one. */
struct alignas(16) vector16 {
    uint32_t words[4];
};

/* A grid of `clusters` clusters, each of `cluster` blocks of `threads` threads with `shared` bytes. */
struct launch_shape {
    uint32_t clusters, cluster, threads;
    size_t shared;
    bool overlap; /* may begin before the launch before it in the stream ends: the kernel calls grid_wait */
};

/* What dispatch needs to know of a device. */
struct device_limits {
    uint32_t multiprocessors;
    uint32_t capability;       /* 10 * major + minor */
    size_t shared_per_block;   /* bytes that one block can have */
    size_t shared_per_multiprocessor;
    uint32_t largest_cluster;  /* blocks; 1: the device has no clusters */
};

#ifndef __CUDACC__
#include "tests/simt/simt.h"
#else
#include <cuda_runtime.h>

#define DEVICE         static __device__ __forceinline__
/* Stands alone in a kernel. The registers of all calls on the way to it add up. */
#define DEVICE_CALL    static __device__ __noinline__ __attribute__((unused))
/* Threads of a block and, if a second number follows, the blocks at a time on a multiprocessor that registers are for. */
#define KERNEL(...)    __global__ void __launch_bounds__(__VA_ARGS__)
/* Before a loop whose arrays are to be registers. */
#define UNROLL _Pragma("unroll")
/* The one argument of a kernel. */
#define PARAMS(type, name) const __grid_constant__ type name

/* --- where a thread is ------------------------------------------------------------------------------------ */

DEVICE uint32_t thread_index() { return threadIdx.x; } /* in its block */
DEVICE uint32_t block_threads() { return blockDim.x; }
DEVICE uint32_t lane_index() { return threadIdx.x % WARP; }
DEVICE uint32_t warp_index() { return threadIdx.x / WARP; }
#if __CUDA_ARCH__ >= 900
DEVICE uint32_t cluster_rank() { /* of the block in its cluster */
    uint32_t rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}
DEVICE uint32_t cluster_size() {
    uint32_t size;
    asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
    return size;
}
#else
DEVICE uint32_t cluster_rank() { return 0; }
DEVICE uint32_t cluster_size() { return 1; }
#endif
DEVICE uint32_t cluster_index() { return blockIdx.x / cluster_size(); } /* in the grid */
DEVICE uint32_t cluster_count() { return gridDim.x / cluster_size(); }

/* --- barriers: each orders the memory of those that meet -------------------------------------------------- */

DEVICE void warp_sync() { __syncwarp(); }
DEVICE void block_sync() { __syncthreads(); }
DEVICE void cluster_sync() {
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
#else
    __syncthreads();
#endif
}

/* Waits until the launch before this one has ended and its writes are seen; nothing where launches do not overlap. */
DEVICE void grid_wait() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/* The launch after this one may begin: it will wait itself. */
DEVICE void grid_release() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

/* --- a warp: all 32 lanes take part ----------------------------------------------------------------------- */

DEVICE uint32_t warp_ballot(bool vote) { return __ballot_sync(0xFFFFFFFFu, vote); }
DEVICE uint32_t warp_shuffle(uint32_t value, uint32_t lane) { return __shfl_sync(0xFFFFFFFFu, value, lane); }
/* The value of the lane `up` lanes lower; its own where there is none. */
DEVICE uint32_t warp_shuffle_up(uint32_t value, uint32_t up) { return __shfl_up_sync(0xFFFFFFFFu, value, up); }
DEVICE uint32_t warp_shuffle_xor(uint32_t value, uint32_t mask) { return __shfl_xor_sync(0xFFFFFFFFu, value, mask); }
DEVICE uint32_t warp_max(uint32_t value) { return __reduce_max_sync(0xFFFFFFFFu, value); }
DEVICE uint32_t warp_min(uint32_t value) { return __reduce_min_sync(0xFFFFFFFFu, value); }
DEVICE uint32_t warp_add(uint32_t value) { return __reduce_add_sync(0xFFFFFFFFu, value); }

/* --- memory ----------------------------------------------------------------------------------------------- */

/* The block's shared memory as the kernel's one struct; what is behind it, up to the size of the launch, is the
 * kernel's too. Holds garbage at the start. */
template <typename Shared> DEVICE Shared *shared_memory() {
    static_assert(alignof(Shared) <= 16, "shared memory is aligned to 16 bytes");
    extern __shared__ vector16 shared_words[];
    return reinterpret_cast<Shared *>(shared_words);
}

/* The pointer itself, of which a compiler learns that it points into the block's own shared memory. */
template <typename T> DEVICE T *known_shared(T *at) {
    __builtin_assume(__isShared(at));
    return at;
}

/* The same object in the shared memory of another block of the cluster. Only behind a barrier of the cluster, for that
 * block may not have begun, and before another, for it may end. */
template <typename T> DEVICE T *in_block(T *shared, uint32_t rank) {
#if __CUDA_ARCH__ >= 900
    uint64_t address;
    asm("mapa.u64 %0, %1, %2;" : "=l"(address) : "l"(reinterpret_cast<uint64_t>(shared)), "r"(rank));
    return reinterpret_cast<T *>(address);
#else
    (void)rank;
    return shared;
#endif
}

/* 16 bytes of memory that no one writes meanwhile, read once: they do not stay in the first-level cache. Aligned to
 * 16. */
DEVICE vector16 load_once(const void *from) {
    vector16 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
                 : "l"(from));
    return v;
}

/* 16 bytes from global into shared memory, at some time before the same thread has waited for all that it began. Aligned to
 * 16; each thread waits before it ends. */
DEVICE void copy_begin(vector16 *shared, const void *from) {
    uint32_t to = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" : : "r"(to), "l"(from) : "memory");
}
DEVICE void copy_wait() { asm volatile("cp.async.wait_all;" : : : "memory"); }

/* Return what was there before. */
DEVICE uint32_t atomic_add(uint32_t *at, uint32_t value) { return atomicAdd(at, value); }
DEVICE uint32_t atomic_or(uint32_t *at, uint32_t bits) { return atomicOr(at, bits); }
DEVICE uint32_t atomic_and(uint32_t *at, uint32_t bits) { return atomicAnd(at, bits); }
DEVICE uint32_t atomic_max(uint32_t *at, uint32_t value) { return atomicMax(at, value); }
DEVICE uint32_t atomic_min(uint32_t *at, uint32_t value) { return atomicMin(at, value); }
DEVICE uint64_t atomic_add64(uint64_t *at, uint64_t value) {
    return atomicAdd(reinterpret_cast<unsigned long long *>(at), static_cast<unsigned long long>(value));
}

/* --- bits ------------------------------------------------------------------------------------------------- */

DEVICE uint32_t count_ones(uint32_t word) { return __popc(word); }
DEVICE uint32_t lowest_one(uint32_t word) { return __ffs(word) - 1; }      /* of a word that is not 0 */
DEVICE uint32_t highest_one(uint32_t word) { return 31u - __clz(word); }
DEVICE uint32_t shifted_right(uint32_t low, uint32_t high, uint32_t by) { return __funnelshift_r(low, high, by); } /* by < 32 */
/* The highest bits of the two low bytes, each for the 16 bits of a half. */
DEVICE uint32_t spread_signs(uint32_t word) {
    uint32_t halves;
    asm("prmt.b32 %0, %1, 0, 0x9988;" : "=r"(halves) : "r"(word));
    return halves;
}
DEVICE float float_max(float a, float b) { return fmaxf(a, b); } /* the other where one is no number */
DEVICE float float_of_half(uint16_t bits) { /* float_of_f16 of logit.h in one conversion */
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

/* --- the host's side: 0 or an error number of the device's, which device_error_name tells ----------------- */

typedef cudaStream_t device_stream;
typedef cudaEvent_t device_event;

template <typename Params>
static inline int device_launch(void (*kernel)(Params), const launch_shape &shape, device_stream stream,
                                const Params &params) {
    cudaLaunchAttribute attributes[2] = {};
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(shape.clusters * shape.cluster);
    config.blockDim = dim3(shape.threads);
    config.dynamicSmemBytes = shape.shared;
    config.stream = stream;
    config.attrs = attributes;
    if (shape.cluster > 1) {
        attributes[config.numAttrs].id = cudaLaunchAttributeClusterDimension;
        attributes[config.numAttrs].val.clusterDim.x = shape.cluster;
        attributes[config.numAttrs].val.clusterDim.y = attributes[config.numAttrs].val.clusterDim.z = 1;
        config.numAttrs++;
    }
    if (shape.overlap) {
        attributes[config.numAttrs].id = cudaLaunchAttributeProgrammaticStreamSerialization;
        attributes[config.numAttrs].val.programmaticStreamSerializationAllowed = 1;
        config.numAttrs++;
    }
    Params copy = params;
    void *arguments[] = {&copy};
    return cudaLaunchKernelExC(&config, reinterpret_cast<const void *>(kernel), arguments);
}

/* Once for each kernel before its first launch: how much shared memory and how large a cluster it may have. */
template <typename Params>
static inline int device_allow(void (*kernel)(Params), size_t shared, uint32_t cluster) {
    const void *function = reinterpret_cast<const void *>(kernel);
    int bytes = static_cast<int>(shared);
    int error = cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (error == 0 && cluster > 8)
        error = cudaFuncSetAttribute(function, cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
    return error;
}

static inline int device_copy_in(void *device, const void *host, size_t bytes, device_stream stream) {
    return cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream);
}
static inline int device_copy_out(void *host, const void *device, size_t bytes, device_stream stream) {
    return cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream);
}
static inline int device_copy(void *to, const void *from, size_t bytes, device_stream stream) {
    return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}
static inline int device_fill(void *device, int byte, size_t bytes, device_stream stream) {
    return cudaMemsetAsync(device, byte, bytes, stream);
}
/* Of callers, tests and benches: the library takes no memory of the device. Aligned to 256. */
static inline int device_allocate(void **out, size_t bytes) { return cudaMalloc(out, bytes); }
static inline int device_free(void *device) { return cudaFree(device); }
static inline int device_wait(device_stream stream) { return cudaStreamSynchronize(stream); }
static inline int device_event_create(device_event *out) {
    return cudaEventCreateWithFlags(out, cudaEventDisableTiming);
}
static inline int device_event_destroy(device_event event) { return cudaEventDestroy(event); }
static inline int device_event_record(device_event event, device_stream stream) {
    return cudaEventRecord(event, stream);
}
static inline int device_event_wait(device_event event, device_stream stream) {
    return cudaStreamWaitEvent(stream, event, 0);
}
/* Whether everything before the event is done: 0, or an error that means it is not. */
static inline int device_event_query(device_event event) { return cudaEventQuery(event); }
/* The last error of a launch, cleared: no later call of the caller's may find it. */
static inline int device_clear_error() { return cudaGetLastError(); }
static inline const char *device_error_name(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

/* For tests and benches: streams, graphs of what is enqueued between begin and end, and the time between two events. */
typedef cudaGraphExec_t device_graph;
static inline int device_stream_create(device_stream *out) { return cudaStreamCreateWithFlags(out, cudaStreamNonBlocking); }
static inline int device_stream_destroy(device_stream stream) { return cudaStreamDestroy(stream); }
static inline int device_capture_begin(device_stream stream) {
    return cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
}
static inline int device_capture_end(device_stream stream, device_graph *out) {
    cudaGraph_t graph = nullptr;
    int error = cudaStreamEndCapture(stream, &graph);
    if (error == 0) error = cudaGraphInstantiate(out, graph, 0);
    if (graph != nullptr) cudaGraphDestroy(graph);
    return error;
}
static inline int device_graph_launch(device_graph graph, device_stream stream) { return cudaGraphLaunch(graph, stream); }
static inline int device_graph_destroy(device_graph graph) { return cudaGraphExecDestroy(graph); }
static inline int device_timer_create(device_event *out) { return cudaEventCreate(out); }
static inline int device_elapsed(float *milliseconds, device_event start, device_event end) {
    return cudaEventElapsedTime(milliseconds, start, end);
}

static inline int device_limits_of(int device, device_limits *out) {
    int values[5] = {};
    const cudaDeviceAttr which[5] = {cudaDevAttrMultiProcessorCount, cudaDevAttrComputeCapabilityMajor,
                                     cudaDevAttrComputeCapabilityMinor, cudaDevAttrMaxSharedMemoryPerBlockOptin,
                                     cudaDevAttrMaxSharedMemoryPerMultiprocessor};
    for (int i = 0; i < 5; i++) {
        int error = cudaDeviceGetAttribute(&values[i], which[i], device);
        if (error != 0) return error;
    }
    out->multiprocessors = static_cast<uint32_t>(values[0]);
    out->capability = static_cast<uint32_t>(10 * values[1] + values[2]);
    out->shared_per_block = static_cast<size_t>(values[3]);
    out->shared_per_multiprocessor = static_cast<size_t>(values[4]);
    out->largest_cluster = values[1] >= 9 ? 16 : 1;
    return 0;
}
static inline int device_current(int *out) { return cudaGetDevice(out); }
#endif
#endif
