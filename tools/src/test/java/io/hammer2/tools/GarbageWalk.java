package io.hammer2.tools;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Calls every directive of hammer2 with arguments that it can do nothing with, as its own description says what it takes: a new directive is
 * called without anybody thinking of it. As a program of its own it does so for another user.
 */
final class GarbageWalk {
    /** They take names of anything. */
    private static final Set<String> TAKES_ANYTHING = Set.of("hash", "dhash");

    private static final List<String> GARBAGE =
            List.of("", "-1", "99999999999999999999", "garbage\u0007", "0x", "\u00e9\u4e2d", "/", "a:b@c");

    private final List<String> faults = new ArrayList<>();
    private int calls;

    /** {@code GarbageWalk PATH...}: each directive with each path; prints what was wrong, and how many calls there were. */
    public static void main(String[] arguments) {
        GarbageWalk walk = new GarbageWalk();
        for (String path : arguments) {
            walk.everyDirectiveFailsWith(path);
        }
        walk.faults.forEach(System.out::println);
        System.out.println(walk.calls + " calls");
        System.exit(walk.faults.isEmpty() ? 0 : 1);
    }

    /** What was wrong so far. */
    List<String> faults() {
        return List.copyOf(faults);
    }

    int calls() {
        return calls;
    }

    private static Map<String, CommandSpec> directives() {
        Map<String, CommandSpec> directives = new TreeMap<>();
        Hammer2Command.model(Console.to(OutputStream.nullOutputStream(), OutputStream.nullOutputStream()))
                .getSubcommands()
                .forEach((name, line) -> directives.put(name, line.getCommandSpec()));
        return directives;
    }

    /** Each argument of each directive is {@code path}, which it can do nothing with. */
    void everyDirectiveFailsWith(String path) {
        directives().keySet().forEach(name -> failsWith(name, path));
    }

    /** As {@link #everyDirectiveFailsWith}, of one. */
    void failsWith(String directive, String path) {
        for (String json : List.of("", "--json")) {
            List<String> arguments = arguments(json, directive, directives().get(directive), path);
            Ended ended = call(arguments);
            if (ended.status == 0 && !TAKES_ANYTHING.contains(directive)) {
                faults.add(arguments + ": succeeded");
            }
        }
    }

    /** Each argument of each directive is {@code path}, and it may do with it what it can. */
    void everyDirectiveTakes(String path) {
        directives().forEach((name, spec) -> call(arguments("", name, spec, path)));
    }

    /** Unknown options, options without and with values that are none, too few and too many arguments. */
    void everyDirectiveRefusesGarbage(String path) {
        directives().forEach((name, spec) -> {
            expect(2, List.of(name, "--frobnicate"));
            boolean needs =
                    spec.positionalParameters().stream().anyMatch(p -> p.arity().min() > 0);
            if (needs) {
                expect(2, List.of(name));
            }
            List<String> many = new ArrayList<>(arguments("", name, spec, path));
            many.addAll(java.util.Collections.nCopies(300, path));
            call(many);
            for (OptionSpec option : spec.options()) {
                if (option.arity().max() > 0) {
                    expect(2, List.of(name, option.longestName()));
                    for (String garbage : GARBAGE) {
                        List<String> arguments = new ArrayList<>(arguments("", name, spec, path));
                        arguments.addAll(1, List.of(option.longestName(), garbage));
                        call(arguments);
                    }
                }
            }
            for (String garbage : GARBAGE) {
                if (!garbage.equals("/")) {
                    call(arguments("", name, spec, garbage));
                }
            }
        });
    }

    private void expect(int status, List<String> arguments) {
        Ended ended = call(arguments);
        if (ended.status != status) {
            faults.add(arguments + ": status " + ended.status + ", not " + status + ": " + ended.err);
        }
    }

    private static List<String> arguments(String option, String name, CommandSpec spec, String value) {
        List<String> arguments = new ArrayList<>();
        if (!option.isEmpty()) {
            arguments.add(option);
        }
        arguments.add(name);
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            for (int i = 0; i < Math.max(1, parameter.arity().min()); i++) {
                arguments.add(value);
            }
        }
        return arguments;
    }

    private record Ended(int status, String out, String err) {}

    private Ended call(List<String> arguments) {
        calls++;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Hammer2Command.run(Console.to(out, err), arguments.toArray(String[]::new));
        Ended ended = new Ended(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
        String said = ended.out + ended.err;
        if (said.contains("\tat ") || said.contains("internal error") || said.contains("Exception")) {
            faults.add(arguments + ": " + said);
        }
        if (status < 0 || status > 2) {
            faults.add(arguments + ": status " + status);
        }
        if (status != 0 && !ended.err.lines().anyMatch(line -> line.startsWith("hammer2: "))) {
            faults.add(arguments + ": status " + status + " without a word: " + said);
        }
        return ended;
    }
}
