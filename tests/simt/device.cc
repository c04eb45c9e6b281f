/* device.cc - the emulated device: its limits, its memory, what may be launched on it; what tests set and count. */
#include "host.h"

#include <stdlib.h>

/* An H200. */
static const device_limits H200 = {132, 90, 232448, 233472, 16};
/* Without a word of device_allow. */
static const size_t SHARED_BY_DEFAULT = 48 << 10;
static const uint32_t CLUSTER_BY_DEFAULT = 8;

struct allocation {
    allocation *next;
    unsigned char *at;
    size_t bytes;
};
struct allowance {
    allowance *next;
    simt_kernel kernel;
    size_t shared;
    uint32_t cluster;
};

static device_limits limits = H200;
static allocation *allocations;
static allowance *allowances;
static simt_counts counts;
static uint64_t calls, call_to_fail, seed, random_state;
static int last_error;
static bool host_is_kept_out;

/* --- order and garbage ------------------------------------------------------------------------------------ */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mixed(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

bool order_is_free() {
    return seed != 0;
}

uint32_t order_random(uint32_t below) {
    return static_cast<uint32_t>((mixed(random_state++) >> 32) * below >> 32);
}

/* Words that differ from one another. Plain stores, no memset: ThreadSanitizer would take that for the host's. */
void fill_garbage(void *memory, size_t bytes) {
    typedef uint64_t __attribute__((may_alias)) any_word;
    any_word *words = static_cast<any_word *>(memory); /* whatever malloc aligned */
    uint64_t word = mixed(seed ^ 0xA5A5A5A5A5A5A5A5u);
    for (size_t i = 0; i < bytes / 8; i++) {
        word = word * 0xD1342543DE82EF95u + 0x9E3779B97F4A7C15u; /* a linear congruential generator modulo 2^64 */
        words[i] = word;
    }
    for (size_t i = bytes / 8 * 8; i < bytes; i++) static_cast<volatile unsigned char *>(memory)[i] = 0xA5;
}

void simt_set_seed(uint64_t value) {
    seed = value;
    random_state = mixed(value);
}

/* --- calls ------------------------------------------------------------------------------------------------ */

int call_begin(uint64_t simt_counts::*kind) {
    if (kind) ++(counts.*kind);
    return ++calls == call_to_fail ? SIMT_UNKNOWN : SIMT_OK;
}

int call_end(int error) {
    if (error) last_error = error;
    return error;
}

simt_counts simt_counted() {
    return counts;
}

void simt_fail_at(uint64_t call) {
    calls = 0;
    call_to_fail = call;
}

int device_clear_error() {
    int error = last_error;
    last_error = SIMT_OK;
    return error;
}

const char *device_error_name(int error) {
    switch (error) {
    case SIMT_OK: return "no error";
    case SIMT_INVALID_VALUE: return "invalid argument";
    case SIMT_NO_MEMORY: return "out of memory";
    case SIMT_INVALID_CONFIGURATION: return "invalid configuration argument";
    case SIMT_INVALID_HANDLE: return "invalid resource handle";
    case SIMT_NOT_READY: return "device not ready";
    case SIMT_NOT_SUPPORTED: return "operation not supported";
    case SIMT_CAPTURE_UNSUPPORTED: return "operation not permitted when stream is capturing";
    case SIMT_CAPTURE_INVALIDATED: return "operation failed due to a previous error during capture";
    case SIMT_CLUSTER_TOO_LARGE: return "invalid cluster size";
    case SIMT_TOO_MANY_THREADS: return "ThreadSanitizer has too few fibers for this cluster: at most 4,096 threads";
    default: return "unknown error";
    }
}

void simt_reset() {
    streams_reset();
    simt_set_seed(0);
    simt_fail_at(0);
    simt_keep_host_out(false);
    limits = H200;
    counts = simt_counts{};
    last_error = SIMT_OK;
}

/* --- limits ----------------------------------------------------------------------------------------------- */

int device_limits_of(int device, device_limits *out) {
    int error = call_begin(nullptr);
    if (error) return call_end(error);
    if (device != 0) return call_end(SIMT_INVALID_VALUE);
    *out = limits;
    return 0;
}

int device_current(int *out) {
    *out = 0;
    return call_end(call_begin(nullptr));
}

void simt_set_limits(const device_limits *value) {
    limits = *value;
}

/* gcc 12's ThreadSanitizer ends at 8,128 live threads, and an overlapped launch has fibers of its own. */
uint32_t simt_most_threads() {
    return SIMT_THREAD_SANITIZER ? 4096 : MOST_WARPS * WARP;
}

bool launch_can_be_overlapped(const launch_shape &shape) {
    return shape.cluster * shape.threads <= simt_most_threads() / 2;
}

static allowance allowed(simt_kernel kernel) {
    for (const allowance *a = allowances; a; a = a->next) {
        if (a->kernel == kernel) return *a;
    }
    return {nullptr, kernel, SHARED_BY_DEFAULT, CLUSTER_BY_DEFAULT};
}

int simt_allow(simt_kernel kernel, size_t shared, uint32_t cluster) {
    int error = call_begin(&simt_counts::allows);
    if (error) return call_end(error);
    if (shared > limits.shared_per_block || cluster > limits.largest_cluster) return call_end(SIMT_INVALID_VALUE);
    allowance *a = allowances;
    while (a && a->kernel != kernel) a = a->next;
    if (!a) {
        a = new allowance{allowances, kernel, 0, CLUSTER_BY_DEFAULT};
        allowances = a;
    }
    a->shared = shared > SHARED_BY_DEFAULT ? shared : SHARED_BY_DEFAULT;
    if (cluster > a->cluster) a->cluster = cluster;
    return 0;
}

int launch_check(simt_kernel kernel, const launch_shape &shape) {
    uint64_t blocks = static_cast<uint64_t>(shape.clusters) * shape.cluster;
    if (blocks == 0 || blocks > 0x7FFFFFFF || shape.threads == 0 || shape.threads > 1024)
        return SIMT_INVALID_CONFIGURATION;
    if (shape.threads % WARP != 0)
        simt_fault(nullptr, "a launch of %u threads a block, which are no whole warps", shape.threads);
    allowance a = allowed(kernel);
    if (shape.shared > limits.shared_per_block || shape.shared > a.shared) return SIMT_INVALID_VALUE;
    if (limits.capability < 90 && (shape.cluster > 1 || shape.overlap)) return SIMT_NOT_SUPPORTED;
    if (shape.cluster > limits.largest_cluster || shape.cluster > a.cluster || shape.cluster > MOST_BLOCKS) {
        return SIMT_CLUSTER_TOO_LARGE;
    }
    return shape.cluster * shape.threads > simt_most_threads() ? SIMT_TOO_MANY_THREADS : SIMT_OK;
}

/* --- memory ----------------------------------------------------------------------------------------------- */

bool device_memory_holds(const void *at, size_t bytes) {
    uintptr_t start = reinterpret_cast<uintptr_t>(at);
    for (const allocation *a = allocations; a; a = a->next) {
        size_t offset = start - reinterpret_cast<uintptr_t>(a->at);
        if (offset <= a->bytes && bytes <= a->bytes - offset) return true;
    }
    return false;
}

static void allocation_open(const allocation *a, bool open) {
    if (open) {
        memory_open(a->at, a->bytes);
    } else {
        memory_close(a->at, a->bytes);
    }
}

void device_memory_open(bool to_device) {
    if (!host_is_kept_out) return;
    for (const allocation *a = allocations; a; a = a->next) allocation_open(a, to_device);
}

void simt_keep_host_out(bool keep) {
    for (const allocation *a = allocations; a; a = a->next) allocation_open(a, !keep);
    host_is_kept_out = keep;
}

int simt_malloc(void **out, size_t bytes) {
    int error = call_begin(&simt_counts::allocations);
    *out = nullptr;
    if (error) return call_end(error);
    if (capture_spoiled()) return call_end(SIMT_CAPTURE_UNSUPPORTED);
    if (bytes == 0) return 0;
    void *made = nullptr;
    if (posix_memalign(&made, 256, bytes) != 0) return call_end(SIMT_NO_MEMORY);
    fill_garbage(made, bytes);
    allocations = new allocation{allocations, static_cast<unsigned char *>(made), bytes};
    allocation_open(allocations, !host_is_kept_out);
    *out = made;
    return 0;
}

int simt_free(void *device) {
    int error = call_begin(&simt_counts::frees);
    if (error) return call_end(error);
    if (capture_spoiled()) return call_end(SIMT_CAPTURE_UNSUPPORTED);
    if (!device) return 0;
    streams_finish();
    for (allocation **at = &allocations; *at; at = &(*at)->next) {
        allocation *found = *at;
        if (found->at != device) continue;
        *at = found->next;
        allocation_open(found, true);
        free(found->at);
        delete found;
        return 0;
    }
    return call_end(SIMT_INVALID_VALUE);
}
