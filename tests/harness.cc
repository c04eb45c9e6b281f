/* harness.cc - what the C tests of harness.h call: registration, failures, skips, files, the counting allocator. */
#include "harness_runner.h"

#include <csetjmp>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

/* Before each block of a test_memory. 64 bytes keep the alignment of malloc. */
struct alignas(16) test_block {
    test_block *next, *previous;
    size_t size;
    uint64_t mark;
};

namespace {

constexpr uint64_t ALIVE = 0x6b8b4567327b23c6, FREED = 0x643c986966334873;

test_case *cases;         // filled by constructors before main, so a plain pointer
std::jmp_buf end_of_test; // where ASSERT and SKIP go
std::string context;
test_memory *memories;
std::mutex memory_mutex;

std::string quoted(const void *bytes, size_t length) {
    std::string text = "\"";
    for (size_t i = 0; i < length; i++) {
        unsigned char c = static_cast<const unsigned char *>(bytes)[i];
        char piece[8];
        bool plain = c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
        std::snprintf(piece, sizeof piece, plain ? "%c" : "\\x%02x", c);
        text += piece;
    }
    return text + "\"";
}

std::string decimal(test_integer value) {
    bool negative = value < 0;
    std::string digits;
    for (int digit; value != 0 || digits.empty(); value /= 10) {
        digit = static_cast<int>(value % 10);
        digits.insert(digits.begin(), static_cast<char>('0' + (negative ? -digit : digit)));
    }
    return negative ? "-" + digits : digits;
}

std::string formatted(const char *format, va_list arguments) {
    char text[2048];
    std::vsnprintf(text, sizeof text, format, arguments);
    return text;
}

bool check(bool good, const char *file, int line, const std::string &message) {
    if (good) return true;
    std::string place = context.empty() ? "" : "\nwhile: " + context;
    runner_failure(file, line, message + place);
    return false;
}

void free_memories() {
    while (memories) {
        test_memory *memory = memories;
        memories = memory->next;
        while (memory->blocks) {
            test_block *block = memory->blocks;
            memory->blocks = block->next;
            std::free(block);
        }
        delete memory;
    }
}

void check_leaks() {
    for (test_memory *memory = memories; memory; memory = memory->next) {
        check(memory->live_blocks == 0, __FILE__, __LINE__,
              "the test leaks " + std::to_string(memory->live_blocks) + " blocks of its test_memory, " +
                  std::to_string(memory->live_bytes) + " bytes");
    }
}

} // namespace

/* --- cases ------------------------------------------------------------------------------------------------ */

void test_register(test_case *test) {
    test->next = cases;
    cases = test;
}

std::vector<const test_case *> harness_cases() {
    std::vector<const test_case *> order;
    for (const test_case *test = cases; test; test = test->next) order.insert(order.begin(), test);
    return order;
}

void harness_run(const test_case *test) {
    if (setjmp(end_of_test) == 0) {
        test->run();
        check_leaks(); // a test that ended early had no chance to free
    }
    context.clear();
    free_memories();
}

void test_end(void) {
    std::longjmp(end_of_test, 1);
}

void test_skip(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    {
        runner_skip(file, line, formatted(format, arguments));
    } // gone before the jump, which runs no destructor
    va_end(arguments);
    test_end();
}

/* --- expectations ----------------------------------------------------------------------------------------- */

bool test_true(const char *file, int line, const char *a, bool value, bool expected) {
    return check(value == expected, file, line, std::string(a) + "\n  is " + (value ? "true" : "false"));
}

bool test_compare(const char *file, int line, const char *a, const char *operation, const char *b, test_integer left,
                  test_integer right) {
    bool equal = left == right, less = left < right;
    bool good = operation[0] == '='   ? equal
                : operation[0] == '!' ? !equal
                : operation[0] == '<' ? less
                                      : !less && !equal;
    if (operation[0] != '=' && operation[0] != '!' && operation[1] == '=') good = good || equal;
    if (good) return true;
    return check(false, file, line,
                 std::string("expected ") + a + " " + operation + " " + b + "\n  left:  " + decimal(left) +
                     "\n  right: " + decimal(right));
}

bool test_pointer(const char *file, int line, const char *a, const void *value, bool null) {
    return check((value == nullptr) == null, file, line, std::string(a) + (null ? "\n  is not NULL" : "\n  is NULL"));
}

bool test_string(const char *file, int line, const char *a, const char *b, const char *left, const char *right) {
    if (left && right && std::strcmp(left, right) == 0) return true;
    return check(left == right, file, line,
                 std::string("expected ") + a + " == " + b +
                     "\n  left:  " + (left ? quoted(left, std::strlen(left)) : "NULL") +
                     "\n  right: " + (right ? quoted(right, std::strlen(right)) : "NULL"));
}

bool test_contains(const char *file, int line, const char *a, const char *text, const char *part) {
    if (text && std::strstr(text, part)) return true;
    return check(false, file, line,
                 std::string("expected ") + quoted(part, std::strlen(part)) + " in " + a +
                     "\n  found: " + (text ? quoted(text, std::strlen(text)) : "NULL"));
}

bool test_bytes(const char *file, int line, const char *a, const char *b, const void *left, size_t left_length,
                const void *right, size_t right_length) {
    if (left_length == right_length && (left_length == 0 || std::memcmp(left, right, left_length) == 0)) return true;
    size_t at = 0, shorter = left_length < right_length ? left_length : right_length;
    while (at < shorter && static_cast<const char *>(left)[at] == static_cast<const char *>(right)[at]) at++;
    size_t from = at < 40 ? 0 : at - 40;
    auto shown = [&](const void *bytes, size_t length) {
        size_t end = length < from + 120 ? length : from + 120;
        return quoted(static_cast<const char *>(bytes) + from, end > from ? end - from : 0) + " of " +
               std::to_string(length) + " bytes";
    };
    return check(false, file, line,
                 std::string("expected ") + a + " == " + b + "\n  they differ at byte " + std::to_string(at) +
                     "; from byte " + std::to_string(from) + ":\n  left:  " + shown(left, left_length) +
                     "\n  right: " + shown(right, right_length));
}

bool test_near(const char *file, int line, const char *a, const char *b, double left, double right, double tolerance) {
    double difference = left > right ? left - right : right - left;
    if (left == right || difference <= tolerance) return true; // NaN is near to nothing
    char text[256];
    std::snprintf(text, sizeof text, "\n  left:  %.17g\n  right: %.17g\n  differ by %.3g, allowed %.3g", left, right,
                  difference, tolerance);
    return check(false, file, line, std::string("expected ") + a + " near " + b + text);
}

bool test_status(const char *file, int line, const char *call, weir_status found, weir_status expected,
                 const weir_error *error) {
    if (found == expected) return true;
    std::string message =
        std::string(call) + "\n  gave " + weir_status_name(found) + ", expected " + weir_status_name(expected);
    if (error && found != WEIR_OK) {
        message +=
            "\n  at byte " + std::to_string(error->byte) + ", pointer \"" + error->pointer + "\": " + error->message;
    }
    return check(false, file, line, message);
}

void test_failure(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    check(false, file, line, formatted(format, arguments));
    va_end(arguments);
}

void test_context(const char *format, ...) {
    context.clear();
    if (!format) return;
    va_list arguments;
    va_start(arguments, format);
    context = formatted(format, arguments);
    va_end(arguments);
}

/* --- files ------------------------------------------------------------------------------------------------ */

const char *test_data(const char *relative, char *buffer, size_t capacity) {
    const char *root = std::getenv("WEIR_DATA");
    if (!root || !*root) test_skip(__FILE__, __LINE__, "needs %s: WEIR_DATA is not set", relative);
    std::snprintf(buffer, capacity, "%s/%s", root, relative);
    FILE *file = std::fopen(buffer, "rb");
    if (!file) test_skip(__FILE__, __LINE__, "needs %s: not found in WEIR_DATA (%s)", relative, root);
    std::fclose(file);
    return buffer;
}

const char *test_source(const char *relative, char *buffer, size_t capacity) {
    std::snprintf(buffer, capacity, "%s/%s", TEST_SOURCE_DIR, relative);
    return buffer;
}

char *test_read_file(const char *path, size_t *length) {
    FILE *file = std::fopen(path, "rb");
    size_t used = 0, capacity = 1 << 16;
    char *text = static_cast<char *>(std::malloc(capacity));
    while (file && text) {
        size_t got = std::fread(text + used, 1, capacity - used - 1, file);
        used += got;
        if (got == 0) break;
        if (used + 1 < capacity) continue;
        capacity *= 2;
        char *wider = static_cast<char *>(std::realloc(text, capacity));
        if (!wider) std::free(text);
        text = wider;
    }
    bool good = file && text && !std::ferror(file);
    if (file) std::fclose(file);
    if (!good) {
        std::free(text);
        test_failure(__FILE__, __LINE__, "cannot read %s", path);
        test_end();
    }
    text[used] = '\0';
    if (length) *length = used;
    return text;
}

/* --- memory ----------------------------------------------------------------------------------------------- */

namespace {

void unlink_block(test_memory *memory, test_block *block) {
    if (block->previous) block->previous->next = block->next;
    if (block->next) block->next->previous = block->previous;
    if (memory->blocks == block) memory->blocks = block->next;
    memory->live_blocks--;
    memory->live_bytes -= block->size;
}

void *add_block(test_memory *memory, size_t size) {
    test_block *block = static_cast<test_block *>(std::malloc(sizeof(test_block) + size));
    if (!block) return nullptr;
    *block = {memory->blocks, nullptr, size, ALIVE};
    if (memory->blocks) memory->blocks->previous = block;
    memory->blocks = block;
    memory->live_blocks++;
    memory->live_bytes += size;
    if (memory->live_bytes > memory->peak_bytes) memory->peak_bytes = memory->live_bytes;
    std::memset(block + 1, 0xa5, size); // so that nobody relies on zeros
    return block + 1;
}

/* The block behind a pointer that the library gives back, or NULL after noting what is wrong with it. */
test_block *own_block(void *pointer, size_t old_size) {
    test_block *block = static_cast<test_block *>(pointer) - 1;
    if (!check(block->mark == ALIVE, __FILE__, __LINE__,
               block->mark == FREED ? "a block is freed twice" : "a block is freed that was never allocated")) {
        return nullptr;
    }
    check(block->size == old_size, __FILE__, __LINE__,
          "a block of " + std::to_string(block->size) + " bytes is given back as one of " + std::to_string(old_size));
    return block;
}

void *memory_reallocate(void *context_pointer, void *pointer, size_t old_size, size_t size) {
    std::lock_guard<std::mutex> lock(memory_mutex);
    test_memory *memory = static_cast<test_memory *>(context_pointer);
    test_block *old = pointer ? own_block(pointer, old_size) : nullptr;
    if (pointer && !old) return nullptr;
    void *made = nullptr;
    if (size) {
        if (++memory->calls == memory->fail_at) {
            memory->failed = true;
            return nullptr;
        }
        made = add_block(memory, size); // always moved, so that nobody keeps the old pointer
        if (!made) return nullptr;
    }
    if (old) {
        if (made) std::memcpy(made, pointer, old->size < size ? old->size : size);
        unlink_block(memory, old);
        old->mark = FREED;
        std::free(old);
    }
    return made;
}

} // namespace

test_memory *test_memory_create(void) {
    test_memory *memory = new test_memory();
    memory->next = memories;
    memories = memory;
    return memory;
}

weir_allocator test_allocator(test_memory *memory) {
    return weir_allocator{memory, memory_reallocate};
}

bool test_next_failure(test_memory *memory) {
    if (memory->fail_at > 0) {
        bool clean = check(memory->live_blocks == memory->blocks_before, __FILE__, __LINE__,
                           "when allocation " + std::to_string(memory->fail_at) + " fails, " +
                               std::to_string(memory->live_blocks) + " blocks are left where there were " +
                               std::to_string(memory->blocks_before));
        if (!memory->failed || !clean) {
            memory->fail_at = 0;
            return false;
        }
    }
    if (memory->fail_at == 0) memory->blocks_before = memory->live_blocks;
    memory->fail_at++;
    memory->calls = 0;
    memory->failed = false;
    return true;
}
