package io.hammer2.lwkt;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.util.Statistics;

/**
 * Runs the benchmarks of the runtime and prints {@code NAME MEDIAN ns} for each on standard output; JMH's own report and a table with
 * minimum and error go to standard error. Arguments are those of JMH; without a pattern all benchmarks run.
 */
public final class BenchReport {
    private BenchReport() {}

    /** The entry point. */
    public static void main(String[] args) throws Exception {
        java.io.PrintStream figures = System.out;
        System.setOut(System.err); // JMH writes there
        CommandLineOptions commandLine = new CommandLineOptions(args);
        OptionsBuilder options = new OptionsBuilder();
        options.parent(commandLine);
        if (commandLine.getIncludes().isEmpty()) {
            options.include(Pattern.quote(LwktBenchmark.class.getName()));
            options.include(Pattern.quote(ThreadBenchmark.class.getName()));
        }
        Collection<RunResult> results = new Runner(options.build()).run();
        List<String> table = new ArrayList<>();
        for (RunResult result : results) {
            Statistics all = result.getPrimaryResult().getStatistics();
            String name = name(result);
            figures.println(String.format(Locale.ROOT, "%s %.1f ns", name, all.getPercentile(50)));
            table.add(String.format(
                    Locale.ROOT,
                    "| %s | %.1f | %.1f | %.1f ± %.1f | %d |",
                    name,
                    all.getPercentile(50),
                    all.getMin(),
                    all.getMean(),
                    all.getMeanErrorAt(0.99),
                    all.getN()));
        }
        System.err.println(
                "| figure | median ns | min ns | mean ± error (99 percent) | iterations |\n|---|---|---|---|---|");
        table.forEach(System.err::println);
    }

    private static String name(RunResult result) {
        String benchmark = result.getParams().getBenchmark();
        return benchmark.substring(benchmark.lastIndexOf('.') + 1).replace('_', '-');
    }
}
