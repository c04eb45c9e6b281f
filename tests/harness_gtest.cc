/* harness_gtest.cc - the C tests of harness.h as GoogleTest tests. */
#include "harness_runner.h"

#include <gtest/gtest.h>

namespace {

class CTest : public testing::Test {
  public:
    explicit CTest(const test_case *test) : test_(test) {
    }
    void TestBody() override {
        harness_run(test_);
    }

  private:
    const test_case *test_;
};

void add_part(testing::TestPartResult::Type type, const char *file, int line, const std::string &message) {
    testing::internal::AssertHelper(type, file, line, message.c_str()) = testing::Message();
}

} // namespace

void runner_failure(const char *file, int line, const std::string &message) {
    add_part(testing::TestPartResult::kNonFatalFailure, file, line, message);
}

void runner_skip(const char *file, int line, const std::string &reason) {
    add_part(testing::TestPartResult::kSkip, file, line, reason);
}

bool test_has_failed(void) {
    return testing::Test::HasFailure();
}

const char *test_running(void) {
    static std::string name;
    const testing::TestInfo *test = testing::UnitTest::GetInstance()->current_test_info();
    name = std::string(test->test_suite_name()) + "." + test->name();
    return name.c_str();
}

int main(int argc, char **argv) {
    testing::InitGoogleTest(&argc, argv);
    for (const test_case *test : harness_cases()) {
        testing::RegisterTest(test->suite, test->name, nullptr, nullptr, test->file, test->line,
                              [test]() -> testing::Test * { return new CTest(test); });
    }
    return RUN_ALL_TESTS();
}
