package io.hammer2.tools;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code cleanup}. */
@Command(
        name = "cleanup",
        description = "Runs bulkfree on a volume, on all mounted ones if none is named; once for each volume.")
final class CleanupDirective extends Directive {
    @Parameters(
            paramLabel = "PATH",
            arity = "0..1",
            description = "A file of a mounted file system, a device or an image.")
    private String path;

    @Override
    void run() {
        List<Target> targets = Target.of(path == null ? null : List.of(path), parent().path());
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        for (Target target : targets) {
            try {
                long freed = SpaceReturn.of(target, parent().memoryBytes(), progress(), this::tell);
                if (json != null) {
                    json.beginObject()
                            .member("path", target.name())
                            .member("freedBytes", freed)
                            .endObject();
                } else if (!parent().isQuiet()) {
                    out().println(target.name() + ": " + Size.text(freed) + " freed");
                }
            } catch (ToolException e) {
                // The others may still be done.
                damage(e.getMessage());
            }
        }
        if (json != null) {
            json.endArray();
        }
    }
}
