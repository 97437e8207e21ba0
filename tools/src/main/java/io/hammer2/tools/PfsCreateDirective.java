package io.hammer2.tools;

import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code pfs-create}. */
@Command(
        name = "pfs-create",
        description =
                "Makes an empty PFS on the volume of -s, of the current directory, or the only one that is mounted.")
final class PfsCreateDirective extends Directive {
    /** What a PFS can be made as. */
    private static final Set<PfsType> TYPES = Set.of(
            PfsType.MASTER, PfsType.SLAVE, PfsType.SOFT_MASTER, PfsType.SOFT_SLAVE, PfsType.CACHE, PfsType.DUMMY);

    @Parameters(paramLabel = "LABEL", description = "Its name, 1 to 255 bytes.")
    private String label;

    @Override
    void run() {
        Label name = LabelText.parse(label);
        UUID clid = clid(parent().clusterId());
        PfsType type = type(parent().pfsType(), clid);
        Target target = PfsSearch.volume(parent().path());
        try (VolumePfss pfss = VolumePfss.open(target, this::tell)) {
            pfss.create(name, type, clid);
            PfsRow made = pfss.list().stream()
                    .filter(row -> row.name().equals(name))
                    .findFirst()
                    .orElseThrow();
            if (parent().isJson()) {
                made.write(json());
            } else if (!parent().isQuiet()) {
                out().println("created " + made.label() + " on " + target.name());
            }
        }
    }

    private static PfsType type(String text, UUID clid) {
        if (text == null) {
            return clid == null ? PfsType.MASTER : PfsType.SLAVE;
        }
        for (PfsType type : TYPES) {
            if (type.name().equals(text.toUpperCase(Locale.ROOT))) {
                return type;
            }
        }
        throw new ToolException(
                "-t: MASTER, SLAVE, SOFT_MASTER, SOFT_SLAVE, CACHE or DUMMY is wanted, not '" + text + "'");
    }

    private static UUID clid(String text) {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new ToolException("-u: '" + text + "' is no UUID", e);
        }
    }
}
