package io.hammer2.tools;

import io.hammer2.fs.pfs.Label;
import java.util.List;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code pfs-clid} and {@code pfs-fsid}: an id of a PFS. */
abstract sealed class PfsIdDirective extends Directive {
    @Parameters(paramLabel = "LABEL", description = "Name of a PFS of the volume of -s, or of a mounted one.")
    private String label;

    /** {@code pfs-clid}. */
    @Command(name = "pfs-clid", description = "Prints the cluster id of a PFS.")
    static final class Cluster extends PfsIdDirective {
        @Override
        UUID idOf(PfsRow row) {
            return row.clid();
        }
    }

    /** {@code pfs-fsid}. */
    @Command(name = "pfs-fsid", description = "Prints the unique id of a PFS.")
    static final class FileSystem extends PfsIdDirective {
        @Override
        UUID idOf(PfsRow row) {
            return row.fsid();
        }
    }

    abstract UUID idOf(PfsRow row);

    @Override
    void run() {
        Label name = LabelText.parse(label);
        Target target = PfsSearch.withLabel(parent().path(), name);
        List<PfsRow> rows = PfsListDirective.rows(target, this::damage);
        PfsRow row = rows.stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ToolException(target.name() + ": no PFS named " + LabelText.of(name)));
        if (parent().isJson()) {
            row.write(json());
        } else {
            out().println(idOf(row));
        }
    }
}
