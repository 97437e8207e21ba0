package io.hammer2.tools;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code emergency-mode-enable} and {@code emergency-mode-disable}. */
abstract sealed class EmergencyModeDirective extends Directive {
    @Parameters(paramLabel = "PATH", description = "A file of a mounted file system.")
    private String path;

    private final boolean on;

    private EmergencyModeDirective(boolean on) {
        this.on = on;
    }

    @Command(
            name = "emergency-mode-enable",
            description = {
                "Has a full volume do nothing but what gives space back: removing, and bulkfree by itself after it.",
                "Writing gets ENOSPC until emergency-mode-disable, or until it is unmounted. Nothing is modified in place."
            })
    static final class Enable extends EmergencyModeDirective {
        Enable() {
            super(true);
        }
    }

    @Command(name = "emergency-mode-disable", description = "Ends the emergency mode of a volume.")
    static final class Disable extends EmergencyModeDirective {
        Disable() {
            super(false);
        }
    }

    @Override
    void run() {
        switch (Target.of(path)) {
            case Target.Devices devices ->
                throw new ToolException(devices.special()
                        + ": not a file of a mounted HAMMER2 file system; the mode is one of a mount");
            case Target.Mounted mounted -> {
                try (MountedFile file = MountedFile.open(mounted.path())) {
                    new VolumeIoctls(file).setEmergencyMode(on);
                }
                if (parent().isJson()) {
                    json().beginObject()
                            .member("path", mounted.name())
                            .member("emergencyMode", on)
                            .endObject();
                } else if (!parent().isQuiet()) {
                    out().println(mounted.name()
                            + (on
                                    ? ": emergency mode is on; remove what is not needed, and then: hammer2"
                                            + " emergency-mode-disable "
                                            + mounted.name()
                                    : ": emergency mode is off"));
                }
            }
        }
    }
}
