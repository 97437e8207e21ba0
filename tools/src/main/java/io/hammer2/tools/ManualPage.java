package io.hammer2.tools;

import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** A page of section 8, in the macros of man(7), made from what a command says of itself. */
final class ManualPage {

    private final StringBuilder page = new StringBuilder();
    private final CommandSpec spec;

    private ManualPage(CommandSpec spec) {
        this.spec = spec;
    }

    /** @param seeAlso names of other pages of the section */
    static String of(CommandLine command, String version, List<String> seeAlso) {
        ManualPage made = new ManualPage(command.getCommandSpec());
        made.head(version);
        made.synopsis();
        made.description();
        made.arguments(made.spec, true);
        made.directives();
        made.end(seeAlso);
        return made.page.toString();
    }

    private void head(String version) {
        line(".TH " + quoted(spec.name().toUpperCase(Locale.ROOT)) + " 8 \"\" " + quoted("HAMMER2 in Java " + version)
                + " " + quoted("System Manager's Manual"));
        // Hyphens of options can be copied, and nothing is hyphenated.
        line(".nh");
        line(".ad l");
        line(".SH NAME");
        line(escaped(spec.name()) + " \\- " + escaped(firstSentence(description(spec))));
    }

    private static String firstSentence(String text) {
        int end = text.indexOf(". ");
        String first = end < 0 ? text : text.substring(0, end);
        first = first.endsWith(".") ? first.substring(0, first.length() - 1) : first;
        return first.isEmpty() ? first : Character.toLowerCase(first.charAt(0)) + first.substring(1);
    }

    private void synopsis() {
        line(".SH SYNOPSIS");
        synopsis(spec, spec.name());
    }

    private void synopsis(CommandSpec command, String name) {
        StringBuilder text = new StringBuilder(".B " + quoted(name)).append('\n');
        StringBuilder rest = new StringBuilder();
        if (command.options().stream().anyMatch(option -> !option.hidden())) {
            rest.append("[OPTION]... ");
        }
        if (!command.subcommands().isEmpty()) {
            rest.append("DIRECTIVE [ARGUMENT]... ");
        }
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            if (!parameter.hidden()) {
                String label = parameter.paramLabel();
                boolean isMany =
                        parameter.arity().max() > 1 || parameter.arity().isVariable();
                String shown = isMany ? label + "..." : label;
                rest.append(parameter.arity().min() == 0 ? "[" + shown + "] " : shown + " ");
            }
        }
        if (!rest.isEmpty()) {
            text.append(escaped(rest.toString().strip())).append('\n');
        }
        page.append(text);
    }

    private void description() {
        line(".SH DESCRIPTION");
        line(escaped(description(spec)));
        for (String footer : spec.usageMessage().footer()) {
            if (footer.isBlank()) {
                line(".PP");
            } else {
                line(escaped(plain(footer)));
                line(".br");
            }
        }
    }

    private void arguments(CommandSpec command, boolean isWhole) {
        List<PositionalParamSpec> parameters = command.positionalParameters().stream()
                .filter(parameter -> !parameter.hidden())
                .toList();
        List<OptionSpec> options = command.options().stream()
                .filter(option -> !option.hidden() && (isWhole || !option.inherited()))
                .toList();
        if (isWhole && !options.isEmpty()) {
            line(".SH OPTIONS");
        }
        for (PositionalParamSpec parameter : parameters) {
            entry("\\fI" + escaped(parameter.paramLabel()) + "\\fR", parameter);
        }
        for (OptionSpec option : options) {
            String value = option.arity().max() == 0 ? "" : " \\fI" + escaped(option.paramLabel()) + "\\fR";
            entry("\\fB" + escaped(String.join(", ", option.names())) + "\\fR" + value, option);
        }
    }

    private void entry(String tag, ArgSpec argument) {
        line(".TP");
        line(tag);
        String text = String.join(" ", argument.description());
        String standard = argument.defaultValueString(true);
        line(escaped(plain(text.replace("${DEFAULT-VALUE}", standard == null ? "none" : standard))));
    }

    private void directives() {
        if (spec.subcommands().isEmpty()) {
            return;
        }
        line(".SH DIRECTIVES");
        for (CommandLine directive : spec.subcommands().values()) {
            CommandSpec command = directive.getCommandSpec();
            line(".SS " + quoted(command.name()));
            synopsis(command, spec.name() + " " + command.name());
            line(".PP");
            line(escaped(description(command)));
            arguments(command, false);
        }
    }

    private void end(List<String> seeAlso) {
        line(".SH SEE ALSO");
        line(String.join(
                ",\n",
                seeAlso.stream()
                        .filter(name -> !name.equals(spec.name()))
                        .map(name -> "\\fB" + escaped(name) + "\\fR(8)")
                        .toList()));
    }

    private static String description(CommandSpec command) {
        return plain(String.join(" ", command.usageMessage().description()));
    }

    private static String plain(String text) {
        return Ansi.OFF
                .string(text.replace("%n", " ").replace("%%", "%"))
                .replace('\n', ' ')
                .strip();
    }

    private void line(String text) {
        page.append(text).append('\n');
    }

    private static String quoted(String text) {
        return "\"" + escaped(text).replace("\"", "\\(dq") + "\"";
    }

    /** Of roff: the escape character, what begins a request at the start of a line, and hyphens that are minus signs. */
    private static String escaped(String text) {
        String safe = text.replace("\\", "\\e").replace("-", "\\-");
        return safe.startsWith(".") || safe.startsWith("'") ? "\\&" + safe : safe;
    }
}
