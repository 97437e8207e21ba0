package io.hammer2.tools;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code bulkfree}. */
@Command(
        name = "bulkfree",
        description = "Gives back the space of a volume that nothing refers to any more, while it is in use or not.")
final class BulkfreeDirective extends Directive {
    @Parameters(paramLabel = "PATH", description = "A file of a mounted file system, a device or an image.")
    private String path;

    @Override
    void run() {
        Target target = Target.of(path);
        long freed = SpaceReturn.of(target, parent().memoryBytes(), progress(), this::tell);
        if (parent().isJson()) {
            json().beginObject()
                    .member("path", target.name())
                    .member("freedBytes", freed)
                    .endObject();
        } else if (!parent().isQuiet()) {
            out().println(target.name() + ": " + Size.text(freed) + " freed");
        }
    }
}
