/* SPDX-License-Identifier: MIT */
/*
 * The suite as a google-benchmark program: registers the rows, turns answers into its figures, and says what
 * the machine is. Nothing is measured here.
 *
 * A round is one iteration of a benchmark; what google-benchmark adds to a name to say so is left out.
 */
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "progress.h"
#include "suite.h"

namespace
{

/*
 * Passes everything on to another reporter, with plain names; and for the terminal's table, of what is computed
 * over the rounds only what is read: median and spread.
 */
class Plain : public benchmark::BenchmarkReporter
{
  public:
    explicit Plain(BenchmarkReporter *reporter)
        : inner(reporter), is_table(dynamic_cast<benchmark::ConsoleReporter *>(reporter) != nullptr)
    {
    }

    bool ReportContext(const Context &context) override
    {
        inner->SetOutputStream(&GetOutputStream());
        inner->SetErrorStream(&GetErrorStream());
        return inner->ReportContext(context);
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        std::vector<Run> plain;

        for (Run run : runs) {
            run.run_name.iterations.clear();
            run.run_name.repetitions.clear();
            run.run_name.time_type.clear();
            if (!is_table || run.run_type == Run::RT_Iteration || run.aggregate_name == "median" ||
                run.aggregate_name == "cv")
                plain.push_back(run);
        }
        progress_clear();
        inner->ReportRuns(plain);
    }

    void Finalize() override
    {
        inner->Finalize();
    }

  private:
    std::unique_ptr<BenchmarkReporter> inner;
    const bool is_table;
};

void measure(benchmark::State &state, size_t row)
{
    for (auto _ : state) {
        struct suite_answer answer;

        progress_round(suite_row_name(row));
        suite_ask(row, &answer);
        if (answer.error[0]) {
            state.SkipWithError(answer.error);
            break;
        }
        state.SetIterationTime(answer.ns / 1e9);
        for (size_t i = 0; i < answer.counters; i++)
            state.counters[answer.counter[i].name] = answer.counter[i].value;
    }
}

/* What of the command line has to be known here as well. */
struct Options {
    bool quick = false, list = false, to_file = false, file_format = false;
    size_t repetitions = 1;

    Options(int count, char **words)
    {
        for (int i = 1; i < count; i++) {
            const std::string word = words[i];

            quick |= word == "--quick";
            list |= word == "--help" || word.rfind("--benchmark_list_tests", 0) == 0;
            to_file |= word.rfind("--benchmark_out=", 0) == 0;
            file_format |= word.rfind("--benchmark_out_format=", 0) == 0;
            if (word.rfind("--benchmark_repetitions=", 0) == 0)
                repetitions = std::strtoul(words[i] + std::strlen("--benchmark_repetitions="), nullptr, 10);
        }
    }
};

/* The rows that the filter leaves; it is read as google-benchmark does, but on the plain names. */
size_t select_wanted(size_t rows)
{
    const std::string filter = benchmark::GetBenchmarkFilter();
    const bool inverted = !filter.empty() && filter[0] == '-';
    const std::regex expression(filter.empty() || filter == "all" ? "." : filter.substr(inverted),
                                std::regex::extended);
    size_t wanted = 0;

    for (size_t row = 0; row < rows; row++) {
        if (std::regex_search(suite_row_name(row), expression) == inverted)
            continue;
        suite_want(row);
        wanted++;
    }
    return wanted;
}

void list_wanted(size_t rows)
{
    for (size_t row = 0; row < rows; row++)
        if (suite_is_wanted(row))
            std::puts(suite_row_name(row));
}

/* How many rounds that will be. */
size_t register_wanted(size_t rows, size_t repetitions)
{
    size_t rounds = 0;

    for (size_t row = 0; row < rows; row++) {
        if (!suite_is_wanted(row))
            continue;
        auto *added =
            benchmark::RegisterBenchmark(suite_row_name(row), measure, row)->Iterations(1)->UseManualTime();
        if (suite_row_is_once(row))
            added->Repetitions(1);
        rounds += suite_row_is_once(row) ? 1 : repetitions;
    }
    return rounds;
}

/* `--quick` is ours: google-benchmark must not see it. */
void take_out_quick(int *count, char **words)
{
    int kept = 0;

    for (int i = 0; i < *count; i++)
        if (std::strcmp(words[i], "--quick") != 0)
            words[kept++] = words[i];
    *count = kept;
}

} // namespace

int main(int count, char **words)
{
    const Options options(count, words);
    size_t rows;

    take_out_quick(&count, words);
    benchmark::Initialize(&count, words);
    if (benchmark::ReportUnrecognizedArguments(count, words))
        return 2;
    rows = suite_open(options.quick);
    try {
        if (select_wanted(rows) == 0) {
            std::fprintf(stderr, "The filter leaves nothing: --benchmark_list_tests says what there is.\n");
            return 2;
        }
    } catch (const std::regex_error &error) {
        std::fprintf(stderr, "The filter is not a regular expression: %s\n", error.what());
        return 2;
    }
    if (options.list) {
        list_wanted(rows);
        return 0;
    }
    suite_prove();
    for (const char *const *context = suite_context(); *context; context += 2)
        benchmark::AddCustomContext(context[0], context[1]);
    progress_begin(register_wanted(rows, options.repetitions));
    Plain terminal(benchmark::CreateDefaultDisplayReporter());
    Plain file(new benchmark::JSONReporter);
    benchmark::RunSpecifiedBenchmarks(&terminal, options.to_file && !options.file_format ? &file : nullptr,
                                      "all");
    progress_clear();
    suite_close();
    return 0;
}
