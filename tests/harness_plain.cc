/* harness_plain.cc - runs the C tests of harness.h where there is no GoogleTest.
 *
 * Takes and prints what CMake and the scripts know of GoogleTest: --gtest_list_tests, --gtest_filter, one line for each test
 * that is run and one with its verdict. Exits 1 when a test failed, and when none was run. */
#include <cstdio>
#include <cstring>

#include "harness_runner.h"

namespace {

const test_case *running;
bool failed, skipped;

std::string name_of(const test_case *test) {
    return std::string(test->suite) + "." + test->name;
}

/* Whether a pattern of * and ? that ends at `end` is the whole name. */
bool matches(const char *pattern, const char *end, const char *name) {
    if (pattern == end) return *name == '\0';
    if (*pattern == '*') return matches(pattern + 1, end, name) || (*name != '\0' && matches(pattern, end, name + 1));
    return *name != '\0' && (*pattern == '?' || *pattern == *name) && matches(pattern + 1, end, name + 1);
}

/* Whether one of the patterns between colons matches. */
bool any_matches(const char *patterns, const char *end, const char *name) {
    for (const char *at = patterns; at <= end;) {
        const char *colon = static_cast<const char *>(std::memchr(at, ':', static_cast<size_t>(end - at)));
        const char *stop = colon ? colon : end;
        if (matches(at, stop, name)) return true;
        at = stop + 1;
    }
    return false;
}

/* The patterns before the first '-', and none of those behind it. */
bool is_chosen(const char *filter, const std::string &name) {
    const char *end = filter + std::strlen(filter), *minus = std::strchr(filter, '-');
    const char *stop = minus ? minus : end;
    if (stop != filter && !any_matches(filter, stop, name.c_str())) return false;
    return !minus || !any_matches(minus + 1, end, name.c_str());
}

void list(const std::vector<const test_case *> &tests) {
    const char *suite = "";
    for (const test_case *test : tests) {
        if (std::strcmp(test->suite, suite) != 0) std::printf("%s.\n", test->suite);
        suite = test->suite;
        std::printf("  %s\n", test->name);
    }
}

void run(const test_case *test, std::vector<std::string> *failures, std::vector<std::string> *skips) {
    std::string name = name_of(test);
    std::printf("[ RUN      ] %s\n", name.c_str());
    std::fflush(stdout);
    running = test;
    failed = skipped = false;
    harness_run(test);
    std::printf("%s %s\n", failed ? "[  FAILED  ]" : skipped ? "[  SKIPPED ]" : "[       OK ]", name.c_str());
    if (failed) failures->push_back(name);
    else if (skipped) skips->push_back(name);
}

void print_names(const char *verdict, const std::vector<std::string> &names) {
    if (names.empty()) return;
    std::printf("%s %zu %s, listed below:\n", verdict, names.size(), names.size() == 1 ? "test" : "tests");
    for (const std::string &name : names) std::printf("%s %s\n", verdict, name.c_str());
}

int run_all(const std::vector<const test_case *> &tests) {
    std::vector<std::string> failures, skips;
    for (const test_case *test : tests) run(test, &failures, &skips);
    std::printf("[==========] %zu tests ran.\n", tests.size());
    std::printf("[  PASSED  ] %zu tests.\n", tests.size() - failures.size() - skips.size());
    print_names("[  SKIPPED ]", skips);
    print_names("[  FAILED  ]", failures);
    if (!failures.empty()) std::printf("\n %zu FAILED %s\n", failures.size(), failures.size() == 1 ? "TEST" : "TESTS");
    if (tests.empty()) std::printf("no test matches the filter\n");
    return failures.empty() && !tests.empty() ? 0 : 1;
}

bool begins(const char *text, const char *start) {
    return std::strncmp(text, start, std::strlen(start)) == 0;
}

} // namespace

void runner_failure(const char *file, int line, const std::string &message) {
    failed = true;
    std::printf("%s:%d: Failure\n%s\n", file, line, message.c_str());
    std::fflush(stdout);
}

void runner_skip(const char *file, int line, const std::string &reason) {
    skipped = true;
    std::printf("%s:%d: Skipped\n%s\n", file, line, reason.c_str());
}

bool test_has_failed(void) {
    return failed;
}

const char *test_running(void) {
    static std::string name;
    name = name_of(running);
    return name.c_str();
}

int main(int argc, char **argv) {
    const char *filter = "*";
    bool listing = false;
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        if (begins(flag, "--gtest_filter=")) {
            filter = std::strchr(flag, '=') + 1;
        } else if (std::strcmp(flag, "--gtest_list_tests") == 0) {
            listing = true;
        } else if (!begins(flag, "--gtest_also_run_disabled_tests") && !begins(flag, "--gtest_output=") && !begins(flag, "--gtest_color=")) {
            std::fprintf(stderr, "%s: found %s, expected --gtest_filter=PATTERN or --gtest_list_tests\n", argv[0], flag);
            return 1;
        }
    }
    std::vector<const test_case *> chosen;
    for (const test_case *test : harness_cases())
        if (is_chosen(filter, name_of(test))) chosen.push_back(test);
    if (listing) list(chosen);
    return listing ? 0 : run_all(chosen);
}
