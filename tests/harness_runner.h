/* harness_runner.h - harness.cc says what a test is; one of two runners runs them: harness_gtest.cc by GoogleTest, or
 * harness_plain.cc, which needs nothing, where there is none. */
#ifndef WEIR_TESTS_HARNESS_RUNNER_H
#define WEIR_TESTS_HARNESS_RUNNER_H

#include <string>
#include <vector>

#include "harness.h"

/* --- harness.cc ------------------------------------------------------------------------------------------- */

/* All tests in the order of their registration. */
std::vector<const test_case *> harness_cases();
/* Runs one to its end, wherever that is, and looks for leaks. */
void harness_run(const test_case *test);

/* --- the runner, which has test_has_failed and test_running too ---------------------------------------------- */

/* A failure, or that it is skipped, of the test that runs. */
void runner_failure(const char *file, int line, const std::string &message);
void runner_skip(const char *file, int line, const std::string &reason);

#endif
