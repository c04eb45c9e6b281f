/* child.cc - see child.h. */
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

static const char *const IN_CHILD = "WEIR_SIMT_CHILD";

/* The test that runs, in a process of its own with its errors going to `errors`. */
[[noreturn]] static void run_again(int errors) {
    char filter[512], program[] = "weir-simt-tests";
    snprintf(filter, sizeof filter, "--gtest_filter=%s", test_running());
    char *arguments[] = {program, filter, NULL};
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    setenv(IN_CHILD, "1", 1);
    const char *options = getenv("TSAN_OPTIONS");
    char more[1024]; /* it would sleep for a second at the end, for reports of other threads */
    snprintf(more, sizeof more, "%s atexit_sleep_ms=0", options ? options : "");
    setenv("TSAN_OPTIONS", more, 1);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

child_end child_run(void (*body)(), char *output, size_t capacity) {
    if (getenv(IN_CHILD)) {
        body();
        fflush(stderr);
        _exit(0);
    }
    int ends[2];
    fflush(stdout);
    fflush(stderr);
    ASSERT_EQ(pipe(ends), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        close(ends[0]);
        run_again(ends[1]);
    }
    close(ends[1]);
    size_t length = 0;
    for (;;) { /* all of it, or the child would wait for ever; what does not fit is lost */
        char rest[4096];
        bool fits = length + 1 < capacity;
        ssize_t got = read(ends[0], fits ? output + length : rest, fits ? capacity - 1 - length : sizeof rest);
        if (got <= 0) break;
        if (fits) length += static_cast<size_t>(got);
    }
    output[length] = '\0';
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) return CHILD_ABORTED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return CHILD_RETURNED;
    snprintf(output + length, capacity - length, "\n(status %d)", status);
    return CHILD_EXITED;
}

const char *planted_line(const char *mark, char *out, size_t capacity) {
    char path[1024], wanted[64];
    snprintf(wanted, sizeof wanted, "/* %s */\n", mark);
    char *text = test_read_file(test_source("tests/simt/planted.cu", path, sizeof path), NULL);
    const char *found = strstr(text, wanted);
    int line = 1;
    for (const char *c = text; found && c < found; c++) line += *c == '\n';
    free(text);
    if (!found) FAIL("no line of planted.cu is marked %s", mark);
    snprintf(out, capacity, "planted.cu:%d", line);
    return out;
}
